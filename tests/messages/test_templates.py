"""The shipped texts: complete in both languages, and each says what it must."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from duecourse.messages.content import missing_content
from duecourse.messages.context import MessageContext
from duecourse.messages.errors import MissingVariable
from duecourse.messages.render import Renderer
from duecourse.messages.segments import Encoding
from tests.messages.conftest import BRIDGE, HAIGANG, HARBOR

EVERY = Renderer().available()
OF_A_COLLECTOR_ONLY = {"agency_reminder", "validation_notice"}
WRITTEN_BY_A_COLLECTOR_TOO = OF_A_COLLECTOR_ONLY | {"call_script", "overdue_letter", "overdue_notice"}
TO_THE_BORROWER = [t for t in EVERY if t[1] in {"sms", "email", "letter"}]
# Words that press or frighten; none of them is needed to remind somebody.
THREATS = re.compile(
    r"\b(immediately|final warning|last chance|lawsuit|sue|arrest|police|seize|garnish|blacklist|consequences will)\b"
    r"|最后通牒|黑名单|起诉|报警|立案|后果自负|上门|通知您的(家人|单位)",
    re.IGNORECASE,
)


def context_for(template: str, language: str) -> MessageContext:
    if template in OF_A_COLLECTOR_ONLY:
        return BRIDGE
    return HAIGANG if language == "zh" else HARBOR


class Links(HTMLParser):
    """Collects what a mail would load or link to, and whether its tags close."""

    VOID = frozenset({"meta", "br", "hr", "img", "link"})

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "background"} or tag == "link"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def test_every_text_exists_in_english_and_in_chinese() -> None:
    english = {(name, channel) for name, channel, language in EVERY if language == "en"}
    chinese = {(name, channel) for name, channel, language in EVERY if language == "zh"}

    assert english == chinese


def test_every_mail_has_a_text_and_an_html_part(renderer: Renderer) -> None:
    """Somebody reads it without pictures, somebody without text."""
    for template, channel, language in EVERY:
        rendered = renderer.render(template, channel, language, context_for(template, language))
        assert (rendered.html is not None) == (channel == "email"), (template, channel, language)


@pytest.mark.parametrize(("template", "channel", "language"), EVERY)
class TestEveryText:
    def test_it_has_no_loose_ends(self, renderer: Renderer, template: str, channel: str, language: str) -> None:
        """No variable unresolved, none written as None, no leftover markup, no subject over two lines."""
        rendered = renderer.render(template, channel, language, context_for(template, language))

        for part in (rendered.text, rendered.html or "", rendered.subject or ""):
            assert not re.search(r"{{|}}|{%|%}|\bNone\b|undefined|Decimal\(", part)
        assert "\n\n\n" not in rendered.text
        assert rendered.text.strip()
        assert rendered.language == language

    def test_it_names_creditor_link_and_number(
        self, renderer: Renderer, template: str, channel: str, language: str
    ) -> None:
        rendered = renderer.render(template, channel, language, context_for(template, language))

        assert missing_content(rendered, ("creditor", "payment_link", "contact_number", "lender_identity")) == ()

    def test_it_threatens_nobody(self, renderer: Renderer, template: str, channel: str, language: str) -> None:
        rendered = renderer.render(template, channel, language, context_for(template, language))

        assert THREATS.search(rendered.text) is None
        assert THREATS.search(rendered.html or "") is None

    def test_its_html_is_whole_and_loads_nothing(
        self, renderer: Renderer, template: str, channel: str, language: str
    ) -> None:
        if channel != "email":
            return
        html = renderer.render(template, channel, language, context_for(template, language)).html
        assert html is not None

        seen = Links(html)
        assert seen.open == []
        assert seen.loaded == []
        assert 'name="color-scheme" content="light dark"' in html
        assert f'<html lang="{language}">' in html

    def test_chinese_is_chinese_and_english_is_english(
        self, renderer: Renderer, template: str, channel: str, language: str
    ) -> None:
        text = renderer.render(template, channel, language, context_for(template, language)).text

        assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh")


@pytest.mark.parametrize(("template", "channel", "language"), TO_THE_BORROWER)
def test_another_creditor_than_the_sender_is_named(
    renderer: Renderer, template: str, channel: str, language: str
) -> None:
    """A platform that serves a bank's loan says whose money it is."""
    served = dataclasses.replace(context_for(template, language), creditor="Meridian Bank")

    assert missing_content(renderer.render(template, channel, language, served), ("creditor",)) == ()


@pytest.mark.parametrize(("template", "channel", "language"), [t for t in EVERY if t[0] in WRITTEN_BY_A_COLLECTOR_TOO])
def test_a_collectors_text_says_that_a_debt_collector_writes(
    renderer: Renderer, template: str, channel: str, language: str
) -> None:
    rendered = renderer.render(template, channel, language, BRIDGE)

    required = ("mini_miranda", "from_debt_collector", "collector_identity", "creditor")
    assert missing_content(rendered, required) == ()


@pytest.mark.parametrize(
    ("template", "channel", "language"),
    [t for t in EVERY if t[0] in WRITTEN_BY_A_COLLECTOR_TOO and t[1] in {"sms", "email"}],
)
def test_a_collectors_electronic_text_says_how_to_opt_out(
    renderer: Renderer, template: str, channel: str, language: str
) -> None:
    assert missing_content(renderer.render(template, channel, language, BRIDGE), ("opt_out",)) == ()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("channel", ["email", "letter"])
def test_a_validation_notice_has_the_disclosure_the_items_and_the_rights(
    renderer: Renderer, channel: str, language: str
) -> None:
    rendered = renderer.render("validation_notice", channel, language, BRIDGE)

    required = ("mini_miranda", "itemisation", "dispute_rights", "collector_identity")
    assert missing_content(rendered, required) == ()
    assert "Amount on that day" in rendered.text
    assert BRIDGE.collector_address is not None
    assert BRIDGE.collector_address in rendered.text


def test_a_lenders_own_call_does_not_pretend_to_be_a_collectors(renderer: Renderer) -> None:
    assert missing_content(renderer.render("call_script", "call", "en", HARBOR), ("mini_miranda",)) == ("mini_miranda",)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("channel", ["sms", "email", "letter"])
def test_the_notice_before_credit_reporting_names_the_day(renderer: Renderer, channel: str, language: str) -> None:
    context = HAIGANG if language == "zh" else HARBOR
    rendered = renderer.render("credit_report_notice", channel, language, context)

    assert missing_content(rendered, ("credit_report_warning", "amount_due")) == ()


@pytest.mark.parametrize(
    ("template", "channel", "missing"),
    [
        ("credit_report_notice", "sms", "report_on"),
        ("validation_notice", "letter", "dispute_until"),
        ("validation_notice", "email", "itemised_on"),
        ("validation_notice", "letter", "collector_address"),
        ("agency_reminder", "sms", "collector"),
        ("early_overdue", "sms", "due_on"),
    ],
)
def test_a_text_without_what_it_must_say_is_not_written(
    renderer: Renderer, template: str, channel: str, missing: str
) -> None:
    incomplete = dataclasses.replace(BRIDGE, **{missing: None})  # type: ignore[arg-type]

    with pytest.raises(MissingVariable, match=missing):
        renderer.render(template, channel, "en", incomplete)


class TestDisbursementConfirmation:
    @pytest.mark.parametrize("channel", ["sms", "email"])
    @pytest.mark.parametrize("context", [HARBOR, HAIGANG])
    def test_it_says_which_reminders_to_expect(self, renderer: Renderer, channel: str, context: MessageContext) -> None:
        language = "zh" if context is HAIGANG else "en"
        rendered = renderer.render("disbursement_confirmation", channel, language, context)

        for part in (rendered.text, rendered.html or rendered.text):
            assert all(reminder in part for reminder in context.reminders)

    @pytest.mark.parametrize("channel", ["sms", "email"])
    def test_it_says_that_none_come_where_none_come(self, renderer: Renderer, channel: str) -> None:
        """Silence that was announced is no surprise."""
        unreminded = dataclasses.replace(HARBOR, reminders=())

        text = renderer.render("disbursement_confirmation", channel, "en", unreminded).text

        assert "We send no reminders before due dates" in text


class TestSms:
    @pytest.mark.parametrize("template", sorted({t[0] for t in EVERY if t[1] == "sms"}))
    def test_english_stays_in_the_gsm_alphabet_and_two_segments(self, renderer: Renderer, template: str) -> None:
        segments = renderer.render(template, "sms", "en", context_for(template, "en")).segments

        assert segments is not None
        assert segments.encoding is Encoding.GSM_7
        assert segments.segments <= 2

    @pytest.mark.parametrize("template", ["reminder_before_due", "due_today"])
    def test_a_plain_reminder_is_one_segment(self, renderer: Renderer, template: str) -> None:
        segments = renderer.render(template, "sms", "en", HARBOR).segments

        assert segments is not None
        assert segments.segments == 1

    @pytest.mark.parametrize(("template", "channel", "language"), [t for t in EVERY if t[1] == "sms"])
    def test_it_never_names_the_borrower(self, renderer: Renderer, template: str, channel: str, language: str) -> None:
        """A number may have a new owner: a stranger must not learn whose debt it is."""
        context = context_for(template, language)

        assert context.borrower_name not in renderer.render(template, channel, language, context).text

    @pytest.mark.parametrize("template", sorted({t[0] for t in EVERY if t[1] == "sms"} - {"agency_reminder"}))
    def test_a_chinese_sms_begins_with_its_signature_and_has_no_stray_spaces(
        self, renderer: Renderer, template: str
    ) -> None:
        text = renderer.render(template, "sms", "zh", HAIGANG).text

        assert text.startswith("【海港消费金融】")
        assert re.search(r"[\u4e00-\u9fff，。：；】] [\u4e00-\u9fff]", text) is None
