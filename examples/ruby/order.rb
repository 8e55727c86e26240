# JSON in, JSON out: an order's items are added up.
def total(event, context)
  order = event[:data]
  unless order.is_a?(Hash) && order['items'].is_a?(Array)
    return [422, { 'content-type' => 'application/json' }, ['{"error": "send {\"items\": [{\"price\": 1.5, \"count\": 2}]}"}']]
  end
  cents = order['items'].sum { |item| (item['price'] * 100).round * item['count'] }
  { total: cents / 100.0, items: order['items'].length }
end
