"""`/connexion` and `/deconnexion`."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web import sign_in as sessions
from web.auth import give_cookie, take_cookie
from web.errors import problem_of
from web.pages.page import SEE_OTHER, own_path, posted, screens_of, see_other, show, viewer_of
from web.refusals import NotSignedIn, SignInRefused, TooManyTries
from web.state import State


async def home(request: Request[State]) -> Response:
    """`/`: the best screen of whoever is signed in."""
    viewer = await viewer_of(request)
    return see_other(viewer.screens[0].path)


async def sign_in_page(request: Request[State]) -> Response:
    """The form; who is signed in already goes on."""
    after = own_path(request.query_params.get("suite"), "/")
    try:
        await viewer_of(request)
    except NotSignedIn:
        return show(request, "sign_in.html", after=after, email="", refusal=None)
    return see_other(after)


async def sign_in(request: Request[State]) -> Response:
    """Begin a session and go where the person was going."""
    form = await request.form()
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    after = own_path(str(form.get("after", "")), "/")
    try:
        opened = await sessions.sign_in(request, email, password)
    except (SignInRefused, TooManyTries) as refused:
        problem = problem_of(refused)
        return show(
            request,
            "sign_in.html",
            status=problem.status,
            after=after,
            email=email,
            refusal=problem.detail,
        )
    if after == "/":
        after = screens_of(opened.signed_in.account)[0].path
    response = RedirectResponse(after, SEE_OTHER)
    give_cookie(response, opened.session_id, request.state["settings"])
    return response


async def sign_out(request: Request[State]) -> Response:
    """End the session, here and on its open sockets."""
    await posted(request)
    await sessions.sign_out(request)
    response = see_other("/connexion")
    take_cookie(response, request.state["settings"])
    return response
