using MassTransit;

namespace Llava.Hosting.Transport;

/// <summary>Sends messages, each confirmed by the broker or failed by a deadline: MassTransit itself would try for ever.</summary>
public sealed class MessageSender
{
    private readonly IBus _bus;

    internal MessageSender(IBus bus, TimeSpan timeout) => (_bus, Timeout) = (bus, timeout);

    /// <summary>How long a send may take before it counts as failed.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>
    /// Sends all messages to one queue by its exchange. A failure leaves open which of them arrived. RabbitMQ confirms what no queue
    /// takes too, such as while a killed broker has its queue back and not yet the binding; so each message insists on a queue.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the broker did not confirm in time.</exception>
    /// <exception cref="MessageReturnedException">No queue took a message.</exception>
    public Task SendAsync<T>(Uri exchange, IReadOnlyCollection<T> messages, CancellationToken cancellation)
        where T : class => BeforeDeadlineAsync(
        async token =>
        {
            var endpoint = await _bus.GetSendEndpoint(exchange);
            await Task.WhenAll(messages.Select(message => endpoint.Send(message, Pipe.Execute<SendContext<T>>(InsistOnQueue), token)));
        },
        cancellation);

    /// <summary>Publishes an event to whoever listens.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the broker did not confirm in time.</exception>
    public Task PublishAsync<T>(T message, CancellationToken cancellation)
        where T : class => BeforeDeadlineAsync(token => _bus.Publish(message, token), cancellation);

    private static void InsistOnQueue(SendContext context)
    {
        if (context.TryGetPayload<RabbitMqSendContext>(out var rabbit))
        {
            rabbit.Mandatory = true;
        }
    }

    private async Task BeforeDeadlineAsync(Func<CancellationToken, Task> send, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Timeout);
        await send(deadline.Token);
    }
}
