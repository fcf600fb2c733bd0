using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Transport;

/// <summary>How every queue of ours is declared.</summary>
public static class WorkQueue
{
    /// <summary>
    /// A durable queue that senders reach by its own exchange. A failed message waits in <c>{queue}_error</c>; no fault event
    /// goes out, because a consumer may write to its own queues only.
    /// </summary>
    /// <param name="endpoint">The queue's endpoint.</param>
    /// <param name="context">Where the options are found.</param>
    public static void UseWorkQueue(this IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
    {
        var options = context.GetRequiredService<IOptions<TransportOptions>>().Value.RabbitMq;
        if (endpoint is IRabbitMqReceiveEndpointConfigurator queue && options.QueueType == QueueType.Quorum)
        {
            queue.SetQuorumQueue();
        }

        endpoint.ConfigureConsumeTopology = false;
        endpoint.PublishFaults = false;
    }
}
