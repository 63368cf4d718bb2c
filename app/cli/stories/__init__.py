"""The demo's stories, one module each: what a partner's program does over the public API, told step by step."""
