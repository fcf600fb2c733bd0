using MassTransit;

namespace Llava.Hosting.Transport;

/// <summary>How every queue of ours is declared.</summary>
public static class WorkQueue
{
    /// <summary>
    /// A quorum queue that senders reach by its own exchange. A failed message waits in <c>{queue}_error</c>; no fault event
    /// goes out, because a consumer may write to its own queues only.
    /// </summary>
    public static void UseWorkQueue(this IReceiveEndpointConfigurator endpoint)
    {
        if (endpoint is IRabbitMqReceiveEndpointConfigurator queue)
        {
            queue.SetQuorumQueue();
        }

        endpoint.ConfigureConsumeTopology = false;
        endpoint.PublishFaults = false;
    }
}
