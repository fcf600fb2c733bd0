using System.Collections.Concurrent;
using Llava.Contracts.Interactive;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Interactive;

/// <summary>
/// Hands interactive requests to the live consumer with the shortest queue for their model. Until somebody has taken a request the next one is
/// asked where one cannot be reached or has no room; after that it is his, and dies with him.
/// </summary>
internal sealed partial class LiveConsumers(WorkerRegistry workers, ConsumerClient client, ILogger<LiveConsumers> logger)
{
    private readonly ConcurrentDictionary<(string Worker, string Model), int> _own = [];

    /// <inheritdoc cref="ModelRouter.ChatAsync"/>
    public Task<RunningChat> ChatAsync(ChatRequest request, CancellationToken cancellation) => AskAsync(
        request.Model,
        (consumer, place) => RunningChat.StartAsync(client.ChatAsync(consumer.Url, request with { Model = consumer.Model.Name }, cancellation), cancellation, place),
        cancellation);

    /// <inheritdoc cref="IInteractiveModels.EmbedAsync"/>
    public Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation) => AskAsync(
        request.Model,
        async (consumer, place) =>
        {
            using (place)
            {
                return await client.EmbedAsync(consumer.Url, request with { Model = consumer.Model.Name }, cancellation);
            }
        },
        cancellation);

    private async Task<T> AskAsync<T>(string model, Func<Consumer, IDisposable, Task<T>> ask, CancellationToken cancellation)
    {
        InteractiveException? last = null;
        foreach (var consumer in await FindAsync(model, cancellation))
        {
            Place place = new(this, (consumer.Worker, consumer.Model.Name));
            try
            {
                return await ask(consumer, place);
            }
            catch (Exception failure)
            {
                place.Dispose();
                if (failure is not InteractiveException { Error.Kind: InteractiveFailure.Busy or InteractiveFailure.Unavailable or InteractiveFailure.ModelNotFound } passing)
                {
                    throw;
                }

                // That all are busy says more than that one of them was gone.
                last = last?.Error.Kind == InteractiveFailure.Busy ? last : passing;
                PassedOn(consumer.Worker, model, passing.Error.Code);
            }
        }

        throw last!;
    }

    /// <summary>Who may be asked, the best first: those that have the model in memory, of those whose queue is shortest.</summary>
    private async Task<IReadOnlyList<Consumer>> FindAsync(string model, CancellationToken cancellation)
    {
        var serving = (await workers.LiveAsync(cancellation)).SelectMany(worker => worker.Models, (worker, served) => (worker, served)).ToList();
        var named = serving.Where(one => one.served.Name == model).ToList();
        named = named.Count > 0 ? named : serving.Where(one => Path.GetFileName(one.served.Name) == model).ToList();
        if (named.Count == 0)
        {
            throw new InteractiveException(new(InteractiveFailure.ModelNotFound, "model_not_found", $"There is no model '{model}' here; GET /v1/models lists those there are.", "model"));
        }

        var open = named.Where(one => !one.worker.Draining && one.served.ChatUrl is not null)
            .Select(one => new Consumer(one.worker.Id, one.served, one.served.ChatUrl!))
            .OrderBy(one => Rank(one.Model.State))
            .ThenBy(QueueOf)
            .ThenBy(_ => Random.Shared.Next())
            .ToList();
        return open.Count > 0 ? open : throw new InteractiveException(new(
            InteractiveFailure.Unavailable, "no_live_consumer", $"'{model}' is served for jobs, and no live consumer takes interactive requests for it; set Llava:Chat:Secret on its consumers.", null, 5));
    }

    private static int Rank(ModelState state) => state switch { ModelState.Loaded => 0, ModelState.Failed => 2, _ => 1 };

    /// <summary>What the consumer said at its last heartbeat, or what this process has given it since, whichever is more.</summary>
    private int QueueOf(Consumer consumer) => Math.Max(consumer.Model.ChatsInFlight, _own.GetValueOrDefault((consumer.Worker, consumer.Model.Name)));

    [LoggerMessage(5040, LogLevel.Warning, "Consumer {Worker} did not take an interactive request for {Model}: {Code}; the next one is asked")]
    private partial void PassedOn(string worker, string model, string code);

    private sealed record Consumer(string Worker, ServedModel Model, string Url);

    /// <summary>A request that this process has with a consumer.</summary>
    private sealed class Place : IDisposable
    {
        private readonly LiveConsumers _consumers;
        private readonly (string Worker, string Model) _key;
        private bool _isOver;

        public Place(LiveConsumers consumers, (string Worker, string Model) key)
        {
            (_consumers, _key) = (consumers, key);
            consumers._own.AddOrUpdate(key, 1, (_, count) => count + 1);
        }

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isOver, true) && _consumers._own.AddOrUpdate(_key, 0, (_, count) => count - 1) == 0)
            {
                // Workers come and go under new names.
                _consumers._own.TryRemove(new(_key, 0));
            }
        }
    }
}
