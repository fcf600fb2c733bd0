using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Llava.Contracts.Interactive;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Interactive;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Interactive;

/// <summary>Takes interactive requests for the models of this process: finds the model, waits for it, and turns away what is too much.</summary>
internal sealed class InteractiveDesk(ModelPool models, ChatOptions options, ILogger<InteractiveDesk> logger) : IInteractiveModels
{
    private const int BusyRetrySeconds = 1;
    private const int LoadingRetrySeconds = 5;

    private readonly ConcurrentDictionary<string, int> _inFlight = new(StringComparer.Ordinal);

    /// <summary>Requests that a model has in hand.</summary>
    public int InFlight(string model) => _inFlight.GetValueOrDefault(model);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var place = Enter(Find(request.Model));
        using var use = await UseAsync(place.Model, cancellation);
        await using var events = RunnerOf(use, place.Model).ChatAsync(request, cancellation).GetAsyncEnumerator(cancellation);
        while (await Failures.ExplainAsync(() => events.MoveNextAsync().AsTask(), request.RequestId, logger, cancellation))
        {
            yield return events.Current;
        }
    }

    /// <inheritdoc/>
    public async Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation)
    {
        using var place = Enter(Find(request.Model));
        using var use = await UseAsync(place.Model, cancellation);
        return await Failures.ExplainAsync(() => RunnerOf(use, place.Model).EmbedAsync(request, cancellation), request.RequestId, logger, cancellation);
    }

    /// <summary>The model's name here; requests may use the last part of it.</summary>
    private string Find(string asked) =>
        models.Names.FirstOrDefault(model => model == asked) ?? models.Names.FirstOrDefault(model => Path.GetFileName(model) == asked)
        ?? throw Refuse(InteractiveFailure.ModelNotFound, "model_not_found", $"There is no model '{asked}' here; GET /v1/models lists those there are.", "model");

    private Place Enter(string model)
    {
        if (_inFlight.AddOrUpdate(model, 1, (_, count) => count + 1) > options.MaxInFlight)
        {
            Leave(model);
            throw Refuse(InteractiveFailure.Busy, "rate_limit_exceeded", $"{options.MaxInFlight} requests wait for '{model}' already; ask again in a moment.", retryAfter: BusyRetrySeconds);
        }

        return new(this, model);
    }

    private void Leave(string model) => _inFlight.AddOrUpdate(model, 0, (_, count) => count - 1);

    private async Task<ModelUse> UseAsync(string model, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.LoadPatience);
        try
        {
            return await models.UseAsync(model, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw Refuse(InteractiveFailure.Unavailable, "model_loading",
                FormattableString.Invariant($"'{model}' is not in memory yet and was not loaded within {options.LoadPatience.TotalSeconds:0.#} s; ask again in a moment."), retryAfter: LoadingRetrySeconds);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failures.Ending();
        }
        catch (ModelUnavailableException failure)
        {
            throw new InteractiveException(new(InteractiveFailure.Unavailable, "model_unavailable", $"'{model}' cannot be used at the moment; the log of its consumer says why."), failure);
        }
    }

    private static IChatRunner RunnerOf(ModelUse use, string model) =>
        use.Runner.Chat ?? throw Refuse(InteractiveFailure.Refused, "unsupported_model", $"'{model}' answers items of jobs only.", "model");

    private static InteractiveException Refuse(InteractiveFailure kind, string code, string message, string? param = null, int? retryAfter = null) =>
        new(new(kind, code, message, param, retryAfter));

    private sealed class Place(InteractiveDesk desk, string model) : IDisposable
    {
        public string Model => model;

        public void Dispose() => desk.Leave(model);
    }
}
