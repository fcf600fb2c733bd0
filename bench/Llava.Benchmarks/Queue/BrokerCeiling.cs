using System.Diagnostics;
using Llava.Hosting.Transport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Llava.Benchmarks.Queue;

/// <summary>What RabbitMQ does with its own client and nothing around it: messages as many and as large as the pipeline's, confirmed, taken and acknowledged.</summary>
internal static class BrokerCeiling
{
    /// <summary>A RunChunk message in MassTransit's envelope.</summary>
    private const int MessageBytes = 900;

    private const int MostUnconfirmed = 256;
    private const ushort Prefetch = 64;

    /// <summary>Publishes and takes at the same time.</summary>
    /// <returns>Messages per second, from the first publish to the last acknowledgement.</returns>
    public static async Task<double> RunAsync(RabbitMqOptions options, int messages, CancellationToken cancellation)
    {
        ConnectionFactory factory = new()
        {
            HostName = options.Host,
            Port = options.Port,
            VirtualHost = options.VirtualHost,
            UserName = options.Username,
            Password = options.PasswordFile is { } file ? (await File.ReadAllTextAsync(file, cancellation)).Trim() : "guest",
        };
        var queue = $"llava.chunks.bench-{Guid.NewGuid():N}";
        await using var sending = await factory.CreateConnectionAsync(cancellation);
        await using var taking = await factory.CreateConnectionAsync(cancellation);
        await using var consumer = await taking.CreateChannelAsync(cancellationToken: cancellation);
        await consumer.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = options.QueueType == QueueType.Quorum ? "quorum" : "classic" }, cancellationToken: cancellation);
        try
        {
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(TakeAsync(consumer, queue, messages, cancellation), PublishAsync(sending, queue, messages, cancellation));
            return messages / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            await consumer.QueueDeleteAsync(queue, cancellationToken: CancellationToken.None);
        }
    }

    private static async Task PublishAsync(IConnection connection, string queue, int messages, CancellationToken cancellation)
    {
        // The client's own limiter sleeps once its window is half full.
        await using var channel = await connection.CreateChannelAsync(new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null), cancellation);
        var body = new byte[MessageBytes];
        BasicProperties properties = new() { Persistent = true };
        List<Task> unconfirmed = [];
        for (var message = 0; message < messages; message++)
        {
            unconfirmed.Add(channel.BasicPublishAsync("", queue, mandatory: true, properties, body, cancellation).AsTask());
            if (unconfirmed.Count == MostUnconfirmed)
            {
                await Task.WhenAll(unconfirmed);
                unconfirmed.Clear();
            }
        }

        await Task.WhenAll(unconfirmed);
    }

    private static async Task TakeAsync(IChannel channel, string queue, int messages, CancellationToken cancellation)
    {
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = messages;
        AsyncEventingBasicConsumer consumer = new(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, cancellation);
            if (Interlocked.Decrement(ref left) == 0)
            {
                all.SetResult();
            }
        };
        await channel.BasicQosAsync(0, Prefetch, global: false, cancellation);
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellation);
        await all.Task.WaitAsync(cancellation);
    }
}
