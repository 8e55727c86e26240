// JSON in, JSON out: an order's items are added up.
exports.total = (event, context) => {
  const order = event.data;
  if (!Array.isArray(order.items)) {
    event.extensions.response.status(422).json({ error: 'send {"items": [{"price": 1.5, "count": 2}]}' });
    return;
  }
  const cents = order.items.reduce((sum, item) => sum + Math.round(item.price * 100) * item.count, 0);
  return { total: cents / 100, items: order.items.length };
};
