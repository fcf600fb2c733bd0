using MassTransit;

namespace Llava.Hosting.Transport;

/// <summary>Sends messages, each confirmed by the broker or failed by a deadline: MassTransit itself would try for ever.</summary>
public sealed class MessageSender
{
    private readonly IBus _bus;
    private readonly TimeSpan _timeout;

    internal MessageSender(IBus bus, TimeSpan timeout) => (_bus, _timeout) = (bus, timeout);

    /// <summary>Sends all messages to one exchange. A failure leaves open which of them arrived.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the broker did not confirm in time.</exception>
    public Task SendAsync<T>(Uri exchange, IReadOnlyCollection<T> messages, CancellationToken cancellation)
        where T : class => BeforeDeadlineAsync(
        async token =>
        {
            var endpoint = await _bus.GetSendEndpoint(exchange);
            await Task.WhenAll(messages.Select(message => endpoint.Send(message, token)));
        },
        cancellation);

    /// <summary>Publishes an event to whoever listens.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the broker did not confirm in time.</exception>
    public Task PublishAsync<T>(T message, CancellationToken cancellation)
        where T : class => BeforeDeadlineAsync(token => _bus.Publish(message, token), cancellation);

    private async Task BeforeDeadlineAsync(Func<CancellationToken, Task> send, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(_timeout);
        await send(deadline.Token);
    }
}
