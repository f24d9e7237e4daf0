// The service worker of the whole site, served as /service-worker.js.

importScripts("/static/push-worker.js")
