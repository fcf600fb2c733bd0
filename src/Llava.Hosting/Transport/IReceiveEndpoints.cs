using MassTransit;

namespace Llava.Hosting.Transport;

/// <summary>A project's share of the bus: the queues it takes messages from. Registered in the container, found by the transport.</summary>
public interface IReceiveEndpoints
{
    /// <summary>Adds the queues.</summary>
    /// <param name="bus">The bus that is being built.</param>
    /// <param name="context">Where consumers are found.</param>
    void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context);
}
