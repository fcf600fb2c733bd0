delete from webhook_deliveries
where state <> 'pending' and created_at < @before;
