using Llava.Contracts;
using Llava.Contracts.Messages;
using Llava.GpuConsumer.Models;
using Llava.Hosting.Transport;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Chunks;

/// <summary>
/// Claims the chunk, runs the items that have no result, records them. Returning is the acknowledgement; nothing comes after
/// it. A lost message, a second one and one that comes late all end well, because the ledger alone says what is to do.
/// </summary>
internal sealed partial class RunChunkConsumer(ChunkWork work, ModelPool models, ProbationGate gate, ConsumerOptions options, TimeProvider time, ILogger<RunChunkConsumer> logger) : IConsumer<RunChunk>
{
    // Names the chunk in every line that is logged while it is in work, whoever logs it.
    private static readonly Func<ILogger, int, JobId, IDisposable?> Scope = LoggerMessage.DefineScope<int, JobId>("Chunk {Chunk} of job {Job}");

    /// <summary>A model that cannot be used must not make its chunks run in circles.</summary>
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(5);

    public async Task Consume(ConsumeContext<RunChunk> context)
    {
        var (job, chunkNo, model, attempt, _) = context.Message;
        using var scope = Scope(logger, chunkNo, job);
        Check(context.Message);
        var cancellation = context.CancellationToken;
        // First the model, then a place: chunks that wait for another model to make way hold up none of that model.
        using var use = await WaitForModelAsync(context.Message, cancellation);
        if (use is null)
        {
            return;
        }

        HeldLease? held = null;
        try
        {
            using var place = await gate.EnterAsync(alone: attempt > 0, cancellation);
            held = await work.ClaimAsync(context.Message, cancellation);
            if (held is not null)
            {
                await work.RunAsync(held, model, use.Runner, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested || held?.Stopped.IsCancellationRequested == true)
        {
            await work.ReturnAsync(context.Message, held);
        }
        catch (MalformedMessageException)
        {
            await work.ReleaseAsync(held, countAttempt: false);
            throw;
        }
        catch (Exception failure) when (context.GetRetryAttempt() >= options.Retries)
        {
            // Not thrown on: the ledger hands the chunk out again, and an error queue would only keep a second copy of that fact.
            GivenBack(job, chunkNo, failure);
            await work.ReleaseAsync(held, countAttempt: failure is UnansweredItemsException, failure.Message);
        }
    }

    /// <summary>The model; null when it cannot be used here, and the chunk was given back.</summary>
    private async Task<ModelUse?> WaitForModelAsync(RunChunk message, CancellationToken cancellation)
    {
        try
        {
            return await models.UseAsync(message.Model, cancellation);
        }
        catch (ModelUnavailableException)
        {
            await Task.WhenAny(Task.Delay(Hold, time, cancellation));
        }
        catch (OperationCanceledException)
        {
            // This worker ends: others have the chunk at once.
        }

        await work.ReturnAsync(message, held: null);
        return null;
    }

    /// <summary>A stranger on the broker must not make this process load what it likes.</summary>
    private void Check(RunChunk message)
    {
        if (message.JobId.Value <= 0 || message.ChunkNo < 0 || message.Attempt < 0 || !models.Names.Contains(message.Model))
        {
            throw new MalformedMessageException($"{message} names no job, chunk or attempt there can be, or a model that is not served here ({string.Join(", ", models.Names)}).");
        }
    }

    [LoggerMessage(3020, LogLevel.Error, "Chunk {Chunk} of job {Job} is given back after all retries")]
    private partial void GivenBack(JobId job, int chunk, Exception failure);
}
