using Llava.Hosting.Transport;
using MassTransit;

namespace Llava.GpuConsumer.Chunks;

/// <summary>The queues of each model this worker serves.</summary>
internal sealed class ChunkEndpoints(ConsumerOptions options) : IReceiveEndpoints
{
    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context)
    {
        // Places that other chunks never take, so that an express one finds them free.
        var express = Math.Clamp(options.ConcurrentChunks / 4, 1, ChunkQueue.ExpressChunks);
        foreach (var model in options.Models.Distinct())
        {
            Receive(ChunkQueue.NameFor(model), Math.Max(1, options.ConcurrentChunks - express));
            Receive(ChunkQueue.NameFor(model, express: true), express);
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
