// The script of every page. All pages work without it; it saves reloads and
// clicks. htmx brings parts of pages, and its extension for server-sent events
// live progress (hx-sse:connect).
import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-sse.js";
import "./copy.js";
import "./fields.js";
import "./files.js";
import "./kept.js";
import "./lists.js";
import "./menus.js";
import "./palette.js";
import "./previews.js";
import "./recall.js";
import "./secrets.js";
import "./selection.js";
import "./shortcuts.js";
import "./strength.js";
import "./tabs.js";
import "./theme.js";
import "./times.js";
import "./toasts.js";
import "./whole.js";

// From here on CSS shows what needs a script.
document.documentElement.dataset.js = "on";
