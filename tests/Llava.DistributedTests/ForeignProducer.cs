using System.Text;
using System.Text.Json;
using Llava.Testing;
using RabbitMQ.Client;

namespace Llava.DistributedTests;

/// <summary>A program that knows AMQP and JSON but nothing of MassTransit.</summary>
internal sealed class ForeignProducer : IAsyncDisposable
{
    private readonly IConnection _connection;
    private readonly IChannel _channel;

    private ForeignProducer(IConnection connection, IChannel channel) => (_connection, _channel) = (connection, channel);

    public static Task<ForeignProducer> ConnectAsync(RabbitVirtualHost broker, string user = "guest", string password = "guest") => ConnectAsync(broker.Server, broker.Name, user, password);

    public static async Task<ForeignProducer> ConnectAsync(RabbitServer broker, string virtualHost = "/", string user = "guest", string password = "guest")
    {
        ConnectionFactory factory = new() { HostName = "127.0.0.1", Port = broker.Port, VirtualHost = virtualHost, UserName = user, Password = password };
        var connection = await factory.CreateConnectionAsync();
        return new(connection, await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)));
    }

    public async Task SendAsync(string exchange, string body, string? contentType = "application/json")
    {
        BasicProperties properties = new() { Persistent = true, MessageId = Guid.NewGuid().ToString() };
        if (contentType is not null)
        {
            properties.ContentType = contentType;
        }

        await _channel.BasicPublishAsync(exchange, routingKey: "", mandatory: true, properties, Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Binds a queue of this producer's own to an event's exchange, which is there once an event was published.</summary>
    public async Task<string> ListenAsync(string exchange, bool declares = true)
    {
        if (declares)
        {
            await _channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true);
        }

        var queue = (await _channel.QueueDeclareAsync($"producer.{Guid.NewGuid():N}")).QueueName;
        await _channel.QueueBindAsync(queue, exchange, routingKey: "");
        return queue;
    }

    /// <summary>The next event in the queue: its <c>message</c>, as docs/messages.md says.</summary>
    public async Task<JsonElement> ReceiveAsync(string queue)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (await _channel.BasicGetAsync(queue, autoAck: true, patience.Token) is { } delivery)
            {
                return JsonDocument.Parse(delivery.Body).RootElement.GetProperty("message").Clone();
            }

            await Task.Delay(20, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
