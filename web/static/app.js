// Everything that a page may need; each module acts only where its element is.

import "./sending.js"
import "./outbox.js"
import "./no-network.js"
import "./slot-list.js"
import "./board-news.js"
import "./board-keys.js"
import "./freshness.js"
import "./live-fragment.js"
import "./countdown.js"
import "./offer.js"

// What a PC alone needs, or one page.
if (document.querySelector("dialog.lock")) import("./attention.js")
if (document.querySelector(".notifications")) import("./push.js")
if (document.querySelector("[data-lock-page]")) import("./lock.js")
if (document.querySelector("[data-prints], [data-narrows]")) import("./directory.js")
if (document.querySelector("passkey-offer, [data-passkeys]")) import("./passkey.js")
