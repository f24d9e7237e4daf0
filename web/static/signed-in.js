// Loaded only where a socket was closed because its session is over: another tab may have shown
// again who it is, and then this browser has a new cookie, or will once its answer is here.

const COOKIE_WITHIN = 2_000 // ms
const OVER = 4501 // a close code that does not come back

/** As what the close counts: 0, a cut, for the same person, and where nobody can say; else the end. */
export async function look() {
  for (const wait of [0, COOKIE_WITHIN]) {
    await new Promise((done) => setTimeout(done, wait))
    const answer = await fetch("/api/v1/session").catch(() => null)
    if (answer?.status === 401) continue
    const said = answer?.ok && (await answer.json().catch(() => null))
    if (!said) return 0
    const isSame = said.account.id === document.querySelector("publish-queue")?.dataset.account
    return isSame ? 0 : OVER
  }
  return OVER
}
