from oversight.web.forms import FieldError, Form


def check_new_passphrase(form: Form, own_words: list[str]) -> list[FieldError]:
    if len(form.secret("new")) < 16:
        return [FieldError("new", "Too short")]
    if form.secret("new") != form.secret("again"):
        return [FieldError("again", "differ")]
    return []
