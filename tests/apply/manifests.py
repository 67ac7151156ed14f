"""Small manifests that several tests start from."""

AGENT = """\
kind: Agent
name: desk
spec:
  firstMessage: Hello
  model:
    provider: openai
    model: gpt-4.1-mini
    systemPrompt: |
      Be short.
      Be kind.
    tools: [lookup]
  voice: {provider: 11labs, voiceId: sarah, speed: 1.0}
  transcriber: {provider: deepgram, model: nova-2, endpointing: 200}
"""

TOOL = """\
kind: Tool
name: lookup
spec:
  type: function
  function:
    name: lookup
    description: Finds an order.
    parameters: {type: object, properties: {number: {type: string}}}
"""

LINE = """\
kind: Phone
name: line
spec: {number: +14155550100, provider: twilio, agent: desk}
"""
