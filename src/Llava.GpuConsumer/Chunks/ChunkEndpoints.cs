using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.GpuConsumer.Chunks;

/// <summary>One queue for each model this worker serves.</summary>
internal sealed class ChunkEndpoints(ConsumerOptions options) : IReceiveEndpoints
{
    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context)
    {
        foreach (var model in options.Models.Distinct())
        {
            bus.ReceiveEndpoint(ChunkQueue.NameFor(model), endpoint =>
            {
                endpoint.UseWorkQueue(context);
                endpoint.PrefetchCount = options.ConcurrentChunks;
                endpoint.ConfigureConsumer<RunChunkConsumer>(context);
            });
        }
    }
}
