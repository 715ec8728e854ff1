"""Talks to a mock provider with the official clients of Anthropic and OpenAI, and fails where they misunderstand each other.

Arguments: the address of the provider. It has one model, mock-1, and no limits at the start.
"""

import json
import sys
import urllib.request

import anthropic
import openai
from pydantic import BaseModel

URL = sys.argv[1]


class Person(BaseModel):
    """What is asked for."""

    name: str
    email: str
    age: int
    tags: list[str]


def control(path, body=None):
    """Tells the mock provider something, or asks it."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/mock/{path}", data=data)) as answer:
        return json.load(answer)


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED {what}")


def raises(kind, call, what):
    """The error of a call that must fail."""
    try:
        call()
    except kind as error:
        return error
    sys.exit(f"FAILED {what}: no {kind.__name__}")


def anthropic_messages(client):
    hello = [{"role": "user", "content": "hello there"}]
    message = client.messages.create(model="mock-1", max_tokens=200, messages=hello)
    expect(message.stop_reason == "end_turn" and message.content[0].text, "message")
    expect(message.usage.input_tokens == 4 and message.usage.output_tokens > 0, "usage")
    cut = client.messages.create(model="mock-1", max_tokens=2, messages=hello)
    expect(cut.stop_reason == "max_tokens" and cut.usage.output_tokens == 2, "max_tokens")
    parsed = client.messages.parse(model="mock-1", max_tokens=2000, messages=hello, output_format=Person)
    expect(isinstance(parsed.parsed_output, Person) and "@" in parsed.parsed_output.email, "structured output")
    tool = {"name": "person", "description": "a person", "input_schema": Person.model_json_schema()}
    choice = {"type": "tool", "name": "person"}
    used = client.messages.create(model="mock-1", max_tokens=2000, messages=hello, tools=[tool], tool_choice=choice)
    expect(used.stop_reason == "tool_use" and Person(**used.content[0].input), "forced tool")
    refused = client.messages.create(model="mock-1+refusal", max_tokens=20, messages=hello)
    expect(refused.stop_reason == "refusal" and refused.stop_details.type == "refusal", "refusal")
    raises(anthropic.NotFoundError, lambda: client.messages.create(model="gone", max_tokens=2, messages=hello), "model")
    overloaded = lambda: client.messages.create(model="mock-1+overloaded", max_tokens=2, messages=hello)
    error = raises(anthropic.APIStatusError, overloaded, "overloaded")
    expect(error.status_code == 529 and error.body["error"]["type"] == "overloaded_error", "529")
    expect([model.id for model in client.models.list()] == ["mock-1"], "models")


def openai_chat(client):
    hello = [{"role": "user", "content": "hello there"}]
    chat = client.chat.completions.create(model="mock-1", messages=hello)
    expect(chat.choices[0].finish_reason == "stop" and chat.usage.prompt_tokens == 4, "chat")
    parsed = client.chat.completions.parse(model="mock-1", messages=hello, response_format=Person)
    expect(isinstance(parsed.choices[0].message.parsed, Person), "structured chat")
    cut = lambda: client.chat.completions.parse(model="mock-1", messages=hello, response_format=Person, max_tokens=5)
    raises(openai.LengthFinishReasonError, cut, "a cut answer")
    refused = client.chat.completions.parse(model="mock-1+refusal", messages=hello, response_format=Person)
    expect(refused.choices[0].message.refusal and refused.choices[0].message.parsed is None, "refused chat")
    error = raises(openai.NotFoundError, lambda: client.chat.completions.create(model="gone", messages=hello), "model")
    expect(error.code == "model_not_found", "code of an unknown model")
    expect([model.id for model in client.models.list()] == ["mock-1"], "models")


def openai_responses(client):
    response = client.responses.create(model="mock-1", input="hello there")
    expect(response.status == "completed" and response.output_text and response.usage.input_tokens == 4, "response")
    parsed = client.responses.parse(model="mock-1", input="hello there", text_format=Person)
    expect(isinstance(parsed.output_parsed, Person), "structured response")
    cut = client.responses.create(model="mock-1", input="hello there", max_output_tokens=2)
    expect(cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens", "incomplete")
    vectors = client.embeddings.create(model="mock-1", input=["hello there", "hello you"], dimensions=64)
    expect([len(item.embedding) for item in vectors.data] == [64, 64], "embeddings")


def azure_chat(client):
    hello = [{"role": "user", "content": "hello there"}]
    chat = client.chat.completions.create(model="mock-1", messages=hello)
    expect(chat.choices[0].message.content, "azure")


def rate_limits(patient, hasty):
    """Whoever does not wait is told when to come back; whoever waits as told is answered."""
    control("limits", {"requests_per_minute": 30})
    control("reset", {})
    hello = [{"role": "user", "content": "hello there"}]
    message = lambda client: client.messages.create(model="mock-1", max_tokens=200, messages=hello)
    refused = None
    for _ in range(1000):
        try:
            message(hasty)
        except anthropic.RateLimitError as error:
            refused = error
            break
    expect(refused is not None and int(refused.response.headers["retry-after"]) in (1, 2), "a 429 with retry-after")
    expect(refused.body["error"]["type"] == "rate_limit_error", "body of a 429")
    expect(message(patient).stop_reason == "end_turn", "a 429 that is waited for")
    bill = control("bill")
    expect(bill["rate_limited"] >= 1 and bill["charged"] == bill["answered"], f"bill: {bill}")


def main():
    claude = anthropic.Anthropic(base_url=URL, api_key="k", max_retries=0)
    gpt = openai.OpenAI(base_url=f"{URL}/v1", api_key="k", max_retries=0)
    anthropic_messages(claude)
    openai_chat(gpt)
    openai_responses(gpt)
    azure_chat(openai.AzureOpenAI(azure_endpoint=URL, api_key="k", api_version="2024-10-21", max_retries=0))
    rate_limits(anthropic.Anthropic(base_url=URL, api_key="k", max_retries=5), claude)
    print("understood")


main()
