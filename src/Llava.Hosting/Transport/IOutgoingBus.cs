using MassTransit;

namespace Llava.Hosting.Transport;

/// <summary>
/// The bus that only sends. It has a connection of its own: RabbitMQ stops a connection that publishes while memory or disk
/// is short, acknowledgements included, and what consumers finish meanwhile must not be held up by that.
/// </summary>
public interface IOutgoingBus : IBus;
