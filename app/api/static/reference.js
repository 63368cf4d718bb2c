// Shows /openapi.json: every operation with its parameters, fields and examples. Text is only ever set as text.
"use strict";

const METHODS = ["get", "post", "patch", "put", "delete"];

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function resolved(schema, root) {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.slice(2).split("/").reduce((found, part) => found[part], root);
}

function typeOf(schema, root) {
  if (schema.$ref) return typeOf(resolved(schema, root), root);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map((part) => typeOf(part, root)).join(" | ");
  if (schema.type === "array") return "list of " + typeOf(schema.items || {}, root);
  return schema.format ? `${schema.type} (${schema.format})` : schema.type || "any";
}

function fieldsOf(schema, root, prefix = "", depth = 0) {
  const whole = resolved(schema, root);
  const rows = [];
  for (const [name, field] of Object.entries(whole.properties || {})) {
    const path = prefix + name;
    rows.push([path, typeOf(field, root), (whole.required || []).includes(name), field.description || ""]);
    const branches = field.anyOf || [field.items || field];
    for (const branch of branches) {
      if (depth < 4 && resolved(branch, root).properties) rows.push(...fieldsOf(branch, root, path + ".", depth + 1));
    }
  }
  return rows;
}

function table(head, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { textContent: text })))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell, index) =>
      element("td", {}, index === 0 ? element("code", { textContent: cell }) : String(cell)))))));
}

function content(title, media, root) {
  const nodes = [element("h4", { textContent: title })];
  if (!media) return nodes;
  const rows = fieldsOf(media.schema, root).map(([path, type, needed, text]) => [path, type, needed ? "yes" : "", text]);
  if (rows.length) {
    nodes.push(element("details", {}, element("summary", { textContent: `${rows.length} fields` }),
      table(["field", "type", "always", ""], rows)));
  }
  if (media.example !== undefined) nodes.push(element("pre", { textContent: JSON.stringify(media.example, null, 2) }));
  return nodes;
}

function operation(path, method, spec, root) {
  const made = element("section", { id: spec.operationId },
    element("h3", {}, element("span", { className: "method", textContent: method.toUpperCase() }), path),
    element("p", { textContent: spec.summary + (spec.description.startsWith(spec.summary) ? "." : ". " + spec.description) }));
  const scopes = (spec.security || []).flatMap((rule) => Object.values(rule).flat());
  if (scopes.length) made.append(element("p", {}, "Scope: ", element("code", { textContent: scopes.join(", ") })));
  const parameters = (spec.parameters || []).map((p) =>
    [p.name, p.in, typeOf(p.schema || {}, root), p.required ? "yes" : "", p.description || ""]);
  if (parameters.length) made.append(table(["parameter", "in", "type", "needed", ""], parameters));
  if (spec.requestBody) made.append(...content("Request", spec.requestBody.content["application/json"], root));
  for (const [status, response] of Object.entries(spec.responses || {})) {
    if (/^[45]/.test(status)) continue;
    made.append(...content(`${status} ${response.description || ""}`, Object.values(response.content || {})[0], root));
  }
  return made;
}

function show(root) {
  const reference = document.getElementById("reference");
  const contents = document.getElementById("contents");
  reference.replaceChildren(
    element("h1", { textContent: `${root.info.title} ${root.info.version}` }),
    element("p", { className: "intro", textContent: root.info.description }),
    element("p", {}, element("a", { href: "/openapi.json", textContent: "OpenAPI document" })));
  const groups = new Map();
  for (const [where, entries] of [["paths", root.paths], ["webhooks", root.webhooks || {}]]) {
    for (const [path, item] of Object.entries(entries)) {
      for (const method of METHODS.filter((name) => item[name])) {
        const tag = (item[method].tags || [where])[0];
        if (!groups.has(tag)) groups.set(tag, []);
        groups.get(tag).push([path, method, item[method]]);
      }
    }
  }
  for (const [tag, entries] of groups) {
    contents.append(element("h2", { textContent: tag }));
    reference.append(element("h2", { textContent: tag }));
    for (const [path, method, spec] of entries) {
      contents.append(element("a", { href: "#" + spec.operationId, textContent: spec.summary }));
      reference.append(operation(path, method, spec, root));
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch(() => { document.getElementById("reference").textContent = "The document could not be read."; });
