"""Twenty decisions asked for in other words, and ten questions that memory cannot answer."""

import pytest

from ourcli.app.answering import BESIDE
from ourcli.app.lifetime import open_service
from ourcli.app.requests import AskRequest, NewRecord
from tests.promises import promise

pytestmark = pytest.mark.anyio

DECIDED = {
    "We decided to use PostgreSQL for the orders service": "which database backs orders?",
    "Access tokens expire after 30 minutes": "how long is an access token valid?",
    "We will deploy to production only on Tuesdays and Thursdays": "on which days may we release to production?",
    "The frontend team chose Svelte over React for the dashboard": "what framework is the dashboard built with?",
    "All public endpoints are limited to 100 requests per minute": "what is the rate limit of the public API?",
    "Backups are kept for 90 days in cold storage": "how long do we retain backups?",
    "Maria will lead the migration to Kubernetes": "who is in charge of moving to Kubernetes?",
    "We agreed to drop support for Python 3.9 in the next release": "which Python version do we stop supporting?",
    "Feature branches must be squashed before merging": "what happens to a feature branch before it is merged?",
    "The search index is rebuilt every night at 02:30": "when do we rebuild the index for search?",
    "We use RabbitMQ to send messages between billing and shipping": "what connects billing with shipping?",
    "Error budgets are reviewed on the first Monday of each month": "when do we look at error budgets?",
    "The mobile app stores secrets in the system keychain": "where does the phone app keep secrets?",
    "We decided on a write-through cache with a 15 minute TTL": "how long do entries stay in the cache?",
    "Logs must never contain email addresses": "what may not appear in the logs?",
    "The design review for the new editor is on 12 March": "what is the date of the editor's design review?",
    "Uploads larger than 25 MB are rejected": "what is the largest upload we accept?",
    "We picked Terraform to describe our infrastructure": "what tool do we describe infrastructure with?",
    "Customer invoices are sent as PDF on the 3rd of the month": "when do customers get their invoices?",
    "The staging database is called heron": "what is the name of the staging database?",
}
UNKNOWN = (
    "who painted the Mona Lisa?",
    "what is our vacation policy?",
    "how many employees work in the Berlin office?",
    "which GPU does the training cluster have?",
    "what is the boiling point of ethanol?",
    "when does the lease of the office end?",
    "which colour did we choose for the logo?",
    "how do I fold a paper crane?",
    "what is the password of the guest wifi?",
    "who is the CFO?",
)


@promise("core.ask.decisions-recalled")
@pytest.mark.usefixtures("folder", "qwen_half_billion")
@pytest.mark.parametrize(
    "model",
    ["SmolLM2-135M-Instruct", pytest.param("Qwen2.5-Coder-0.5B-Instruct", marks=pytest.mark.assistant)],
)
@pytest.mark.timeout(900)
async def test_decisions_are_cited_and_what_memory_does_not_hold_is_not_quoted(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURCLI_AI_THREADS", "0")
    async with open_service() as service:
        records = [NewRecord(text=text, tags=("decision",)) for text in DECIDED]
        ids = dict(zip(DECIDED, (await service.add(records)).ids, strict=True))
        missed = []
        for text, question in DECIDED.items():
            answer = await service.ask(AskRequest(text=question, model=model, max_tokens=40))
            if ids[text] not in [citation.record_id for citation in answer.citations]:
                missed.append((question, answer.answer))
        quoted = []
        for question in UNKNOWN:
            answer = await service.ask(AskRequest(text=question, model=model, max_tokens=12))
            if answer.mode == "quoted" or BESIDE in answer.answer:
                quoted.append((question, answer.answer))
    assert len(missed) <= 2, missed
    assert len(quoted) <= 1, quoted
