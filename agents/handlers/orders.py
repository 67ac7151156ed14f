"""Order look-up: asks the shop's own order service over HTTP."""

import os
from urllib.parse import quote

import httpx


async def lookup_order(orderNumber: str) -> dict[str, object]:
    """The order's state and delivery day, in words that can be spoken."""
    number = "".join(character for character in orderNumber if character.isdigit())
    if not number:
        return {"found": False, "say": "That was no order number. Could you read me the digits?"}
    base = os.environ.get("ORDERS_URL", "http://127.0.0.1:8500")
    async with httpx.AsyncClient(base_url=base, timeout=5) as client:
        answer = await client.get(f"/orders/{quote(number)}")
    if answer.status_code == 404:
        return {"found": False, "say": f"I can't find an order {' '.join(number)}."}
    answer.raise_for_status()
    order = answer.json()
    return {"found": True, "state": order["state"], "deliveryDay": order.get("deliveryDay")}
