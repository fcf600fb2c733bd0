using System.Collections.Concurrent;
using Llava.Hosting.Transport;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.GpuConsumer.Chunks;

/// <summary>The queues of each model this worker serves; those of models that come while it runs are added then.</summary>
internal sealed class ChunkEndpoints(ConsumerOptions options, ChunkPlaces places, IServiceProvider services) : IReceiveEndpoints
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<HostReceiveEndpointHandle>> _added = new(StringComparer.Ordinal);

    public void Configure(IBusFactoryConfigurator bus, IBusRegistrationContext context)
    {
        foreach (var model in options.Models.Distinct())
        {
            foreach (var (queue, chunks) in QueuesOf(model))
            {
                bus.ReceiveEndpoint(queue, endpoint => Receive(endpoint, context, chunks));
            }
        }
    }

    /// <summary>Adds the queues of a further model, and returns once they take messages.</summary>
    public async Task ConnectAsync(string model, CancellationToken cancellation)
    {
        // Asked for only now: the bus itself needs this object.
        var bus = services.GetRequiredService<IReceiveEndpointConnector>();
        var queues = QueuesOf(model).Select(queue => bus.ConnectReceiveEndpoint(queue.Name, (context, endpoint) => Receive(endpoint, context, queue.Chunks))).ToList();
        _added[model] = queues;
        await Task.WhenAll(queues.Select(queue => queue.Ready)).WaitAsync(cancellation);
    }

    /// <summary>Takes no more messages for such a model.</summary>
    public async Task DisconnectAsync(string model, CancellationToken cancellation)
    {
        if (_added.TryRemove(model, out var queues))
        {
            await Task.WhenAll(queues.Select(queue => queue.StopAsync(cancellation)));
        }
    }

    private IEnumerable<(string Name, int Chunks)> QueuesOf(string model) =>
        [(ChunkQueue.NameFor(model), places.OthersOf(model)), (ChunkQueue.NameFor(model, express: true), places.ExpressOf(model))];

    private static void Receive(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context, int chunks)
    {
        endpoint.UseWorkQueue(context);
        endpoint.PrefetchCount = chunks;
        endpoint.ConcurrentMessageLimit = chunks;
        endpoint.ConfigureConsumer<RunChunkConsumer>(context);
    }
}
