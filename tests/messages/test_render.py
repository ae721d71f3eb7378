"""The renderer: languages, money and dates, versions, and what a template may not do."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from jinja2.exceptions import SecurityError

from duecourse.errors import InvalidInput, NotFound
from duecourse.messages.content import demands, missing_content
from duecourse.messages.context import VARIABLES, MessageContext, written
from duecourse.messages.errors import MessageTooLong, UnknownTemplate
from duecourse.messages.render import Renderer
from duecourse.messages.templating import TemplateEnvironment
from tests.messages.conftest import BRIDGE, HAIGANG, HARBOR


def renderer_of(directory: Path, source: str, name: str = "note/letter.en.txt.j2") -> Renderer:
    """A renderer over one template."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, "utf-8")
    return Renderer(directory)


class TestLanguages:
    @pytest.mark.parametrize(
        ("asked", "spoken"), [("zh-CN", "zh"), ("zh", "zh"), ("en-IN", "en"), ("fr", "en"), ("pt-BR", "en")]
    )
    def test_a_language_falls_back_to_its_base_and_then_to_english(
        self, renderer: Renderer, asked: str, spoken: str
    ) -> None:
        assert renderer.render("due_today", "sms", asked, HARBOR).language == spoken

    def test_an_unknown_template_is_refused(self, renderer: Renderer) -> None:
        with pytest.raises(UnknownTemplate, match="threat"):
            renderer.render("threat", "sms", "en", HARBOR)

    def test_a_channel_without_text_says_which_ones_have_one(self, renderer: Renderer) -> None:
        with pytest.raises(NotFound, match="validation_notice by letter"):
            renderer.render("validation_notice", "sms", "en", BRIDGE)

    def test_a_template_name_cannot_leave_the_directory(self, renderer: Renderer) -> None:
        with pytest.raises(UnknownTemplate):
            renderer.render("../../channels", "sms", "en", HARBOR)


class TestMoneyAndDates:
    @pytest.mark.parametrize(
        ("amount", "currency", "language", "tag", "channel", "expected"),
        [
            ("1200", "USD", "en", "en", "sms", "$1,200.00"),
            ("-50.5", "USD", "en", "en", "letter", "-$50.50"),
            ("1200", "CNY", "en", "en", "sms", "CNY 1,200.00"),
            ("1234567.5", "INR", "en", "en-IN", "sms", "INR 12,34,567.50"),
            ("1200", "JPY", "en", "en", "email", "JPY 1,200"),
            ("1200", "CNY", "zh", "zh-CN", "sms", "1200.00元"),
            ("1200", "CNY", "zh", "zh", "email", "1,200.00元"),
            ("1200", "USD", "zh", "zh", "email", "1,200.00美元"),
            ("1200", "USD", "en", "en-XX", "email", "$1,200.00"),
        ],
    )
    def test_money_is_written_as_its_reader_expects(
        self, amount: str, currency: str, language: str, tag: str, channel: str, expected: str
    ) -> None:
        context = dataclasses.replace(HARBOR, amount_due=Decimal(amount), currency=currency)

        assert written(context, language, tag, channel)["amount_due"] == expected

    @pytest.mark.parametrize(
        ("language", "tag", "expected"),
        [("en", "en", "Mar 3, 2026"), ("en", "en-IN", "3 Mar 2026"), ("zh", "zh-CN", "2026年3月3日")],
    )
    def test_dates_are_written_as_their_reader_expects(self, language: str, tag: str, expected: str) -> None:
        context = dataclasses.replace(HARBOR, due_on=date(2026, 3, 3))

        assert written(context, language, tag, "sms")["due_on"] == expected

    def test_an_absent_value_is_absent_not_none(self) -> None:
        assert "dispute_until" not in written(HARBOR, "en", "en", "sms")

    def test_every_value_that_is_written_is_a_known_variable(self) -> None:
        assert set(written(BRIDGE, "en", "en", "email")) == VARIABLES


class TestTheRecord:
    def test_it_carries_what_the_text_was_made_of(self, renderer: Renderer) -> None:
        rendered = renderer.render("due_today", "sms", "zh-CN", HAIGANG)

        variables = dict(rendered.variables)
        assert variables["amount_due"] == "1200.00元"
        assert variables["reminders"] == "每期到期前7天邮件; 到期前3天短信"
        assert (rendered.template, rendered.channel, rendered.language) == ("due_today", "sms", "zh")

    def test_the_same_input_gives_the_same_text_in_another_process(self, renderer: Renderer) -> None:
        assert renderer.render("overdue_notice", "email", "en", BRIDGE) == Renderer().render(
            "overdue_notice", "email", "en", BRIDGE
        )

    def test_a_change_in_a_shared_part_changes_the_version(self, tmp_path: Path) -> None:
        """The footer is part of the text that a borrower read."""
        (tmp_path / "_foot.txt.j2").write_text("Kind regards")
        before = renderer_of(tmp_path, 'Hello {% include "_foot.txt.j2" %}').render("note", "letter", "en", HARBOR)
        (tmp_path / "_foot.txt.j2").write_text("Yours")
        after = Renderer(tmp_path).render("note", "letter", "en", HARBOR)

        assert before.template_version != after.template_version
        assert len(after.template_version) == 12


class TestValuesAreOnlyValues:
    def test_a_name_is_not_a_template(self, renderer: Renderer) -> None:
        mallory = dataclasses.replace(HARBOR, borrower_name="{{ 7 * 7 }} {% raw %}")

        assert "{{ 7 * 7 }} {% raw %}" in renderer.render("due_today", "email", "en", mallory).text

    def test_a_name_is_not_markup(self, renderer: Renderer) -> None:
        mallory = dataclasses.replace(HARBOR, borrower_name="<script>alert(1)</script>")
        html = renderer.render("due_today", "email", "en", mallory).html

        assert html is not None
        assert "<script>" not in html
        assert "&lt;script&gt;" in html

    def test_a_name_cannot_begin_a_header(self, renderer: Renderer) -> None:
        mallory = dataclasses.replace(BRIDGE, creditor="Harbor\r\nBcc: everyone@example.com")
        subject = renderer.render("agency_reminder", "email", "en", mallory).subject

        assert subject == "Your account with Harbor Bcc: everyone@example.com"


ATTACKS = [
    "{{ ''.__class__.__mro__ }}",
    "{{ borrower_name.__class__ }}",
    "{{ borrower_name.upper() }}",
    "{{ borrower_name|attr('__class__') }}",
    "{{ 'a' * 10**9 }}",
    "{{ 'a' ~ borrower_name }}",
    "{{ 'a' + 'b' }}",
    "{{ '%1000000000s' % 'a' }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ config }}",
    "{{ self }}",
    "{{ range(10) }}",
    "{% set a = 'a' %}{{ a }}",
    "{% for x in borrower_name %}x{% endfor %}",
    "{% for x in reminders %}{% for y in reminders %}{{ y }}{% endfor %}{% endfor %}",
    "{% for x in itemisation %}{{ x._label }}{% endfor %}",
    "{% for x in itemisation %}{{ x.label.__class__ }}{% endfor %}",
    "{% include borrower_name %}",
    "{% include '../../../etc/passwd' %}",
    "{% include 'note/letter.en.txt.j2' %}",
    "{% import 'x' as y %}",
    "{% macro m() %}{{ m() }}{% endmacro %}",
    "{% if borrower_name is sameas 1 %}{% endif %}",
    "{{ borrower_name[0] }}",
    "{{ borrower_name",
]


class TestTheTemplateLanguage:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_a_template_that_reaches_further_is_refused_when_it_is_loaded(self, tmp_path: Path, attack: str) -> None:
        with pytest.raises(InvalidInput, match=r"note/letter\.en\.txt\.j2"):
            renderer_of(tmp_path, f"Hello\n{attack}\n")

    @pytest.mark.parametrize("attack", ["{{ 'a' * 10 }}", "{{ 2 ** 9 }}", "{{ '%9s' % 1 }}", "{{ ''.__class__ }}"])
    def test_the_sandbox_beneath_refuses_too(self, attack: str) -> None:
        """The second wall holds without the first."""
        with pytest.raises(SecurityError):
            TemplateEnvironment({}).from_string(attack).render()

    def test_a_refusal_names_the_line(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="line 3") as refused:
            renderer_of(tmp_path, "Hello\n\n{{ borrower_name.upper() }}")
        assert refused.value.line == 3

    def test_an_unknown_variable_is_refused_when_it_is_loaded(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="amount_owed"):
            renderer_of(tmp_path, "You owe {{ amount_owed }}")

    def test_a_file_with_a_strange_name_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match=r"sms\.en\.txt\.j2"):
            renderer_of(tmp_path, "x", name="note/english.j2")

    def test_a_mail_without_a_subject_is_refused(self, tmp_path: Path) -> None:
        renderer = renderer_of(tmp_path, "Hello", name="note/email.en.txt.j2")

        with pytest.raises(InvalidInput, match="Subject"):
            renderer.render("note", "email", "en", HARBOR)

    def test_a_text_that_grows_too_long_is_an_error_not_a_cut(self, tmp_path: Path) -> None:
        renderer = renderer_of(tmp_path, "{{ borrower_name }}", name="note/sms.en.txt.j2")

        with pytest.raises(MessageTooLong, match="1600"):
            renderer.render("note", "sms", "en", dataclasses.replace(HARBOR, borrower_name="a" * 1601))


class TestRequiredContent:
    def test_a_key_that_nobody_defined_counts_as_missing(self, renderer: Renderer) -> None:
        """What cannot be checked is not taken for said."""
        rendered = renderer.render("due_today", "sms", "en", HARBOR)

        assert missing_content(rendered, ("creditor", "blood_type")) == ("blood_type",)

    def test_what_a_text_does_not_say_is_named_in_order(self, renderer: Renderer) -> None:
        rendered = renderer.render("due_today", "sms", "en", HARBOR)

        assert missing_content(rendered, ("mini_miranda", "creditor", "opt_out")) == ("mini_miranda", "opt_out")

    def test_a_mail_must_say_it_in_both_parts(self, renderer: Renderer) -> None:
        """Most people see the HTML part only."""
        rendered = renderer.render("agency_reminder", "email", "en", BRIDGE)
        silent = dataclasses.replace(rendered, html="<p>Hello</p>")

        assert missing_content(rendered, ("mini_miranda",)) == ()
        assert missing_content(silent, ("mini_miranda",)) == ("mini_miranda",)

    def test_what_only_the_markup_says_is_not_said(self, renderer: Renderer) -> None:
        """A link behind a button is not a link that can be read."""
        rendered = renderer.render("due_today", "email", "en", HARBOR)
        hidden = dataclasses.replace(rendered, html=f'<a href="{HARBOR.payment_link}">Pay</a>')

        assert missing_content(hidden, ("payment_link",)) == ("payment_link",)

    def test_a_disclosure_in_a_language_without_wording_is_missing(self, renderer: Renderer) -> None:
        rendered = dataclasses.replace(renderer.render("agency_reminder", "sms", "en", BRIDGE), language="fr")

        assert missing_content(rendered, ("mini_miranda",)) == ("mini_miranda",)

    def test_line_breaks_and_letter_case_do_not_count(self, renderer: Renderer) -> None:
        rendered = renderer.render("agency_reminder", "sms", "en", BRIDGE)
        wrapped = dataclasses.replace(rendered, text="SENT BY A\n  DEBT COLLECTOR")

        assert missing_content(wrapped, ("from_debt_collector",)) == ()

    def test_every_demand_can_be_met_in_both_languages(self) -> None:
        for key, demand in demands().items():
            assert demand.phrases or demand.values, key
            assert not demand.phrases or set(demand.phrases) == {"en", "zh"}, key
            assert set(demand.values) <= VARIABLES, key


def test_a_context_needs_no_more_than_a_loan_has() -> None:
    """The least context still writes the plainest reminder's variables."""
    least = MessageContext("Ana", "Harbor", "Harbor", Decimal(1), Decimal(1), "USD", "https://p.example", "1")

    assert {"sender", "amount_due", "creditor", "payment_link"} <= set(written(least, "en", "en", "sms"))
