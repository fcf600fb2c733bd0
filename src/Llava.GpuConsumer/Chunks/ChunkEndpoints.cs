using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.GpuConsumer.Chunks;

/// <summary>The queues of each model this worker serves.</summary>
internal sealed class ChunkEndpoints(ConsumerOptions options, ChunkPlaces places) : IReceiveEndpoints
{
    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context)
    {
        foreach (var model in options.Models.Distinct())
        {
            Receive(ChunkQueue.NameFor(model), places.OthersOf(model));
            Receive(ChunkQueue.NameFor(model, express: true), places.ExpressOf(model));
        }

        void Receive(string queue, int chunks) => bus.ReceiveEndpoint(queue, endpoint =>
        {
            endpoint.UseWorkQueue(context);
            endpoint.PrefetchCount = chunks;
            endpoint.ConcurrentMessageLimit = chunks;
            endpoint.ConfigureConsumer<RunChunkConsumer>(context);
        });
    }
}
