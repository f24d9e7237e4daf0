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
import "./lock.js"

// What one page alone needs.
if (document.querySelector(".notifications")) import("./push.js")
if (document.querySelector("[data-prints], [data-narrows]")) import("./directory.js")
if (document.querySelector("passkey-offer, [data-passkeys]")) import("./passkey.js")
