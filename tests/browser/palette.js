// Makes a picture small: a PNG with a palette of at most 256 colours, by https://www.w3.org/TR/png-3/.
async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);

  // The commonest colours are kept as they are; each of the others becomes the one of them that is nearest to it.
  const pixels = new Uint32Array(data.buffer);
  const times = new Map();
  for (const pixel of pixels) times.set(pixel, (times.get(pixel) ?? 0) + 1);
  const partsOf = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]; // every machine of today is little-endian
  const kept = [...times.keys()].sort((one, other) => times.get(other) - times.get(one)).slice(0, 256);
  const palette = kept.map(partsOf);
  const places = new Map(kept.map((pixel, place) => [pixel, place]));
  const nearest = (pixel) => {
    const wanted = partsOf(pixel);
    const distance = (colour) => colour.reduce((sum, part, at) => sum + (part - wanted[at]) ** 2, 0);
    return palette.reduce((best, colour, place) => (distance(colour) < distance(palette[best]) ? place : best), 0);
  };
  const rows = new Uint8Array((width + 1) * height); // each row begins with its filter: none
  pixels.forEach((pixel, at) => {
    if (!places.has(pixel)) places.set(pixel, nearest(pixel));
    rows[at + Math.floor(at / width) + 1] = places.get(pixel);
  });

  const crc = (part) => {
    let sum = -1;
    for (const byte of part) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum;
  };
  const chunk = (name, content) => {
    const body = new Uint8Array([...new TextEncoder().encode(name), ...content]);
    const whole = new Uint8Array(body.length + 8);
    const view = new DataView(whole.buffer);
    view.setUint32(0, content.length);
    whole.set(body, 4);
    view.setInt32(body.length + 4, crc(body));
    return whole;
  };
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint16(8, 0x0803); // eight bits, palette
  const deflated = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", new Uint8Array(head.buffer)),
    chunk("PLTE", palette.flat()),
    chunk("IDAT", new Uint8Array(await new Response(deflated).arrayBuffer())),
    chunk("IEND", []),
  ];
  const written = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(written.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}
