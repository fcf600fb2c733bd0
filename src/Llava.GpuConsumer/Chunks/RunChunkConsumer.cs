using Llava.Contracts;
using Llava.Contracts.Messages;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Chunks;

/// <summary>
/// Claims the chunk, runs the items that have no result, records them. Returning is the acknowledgement; nothing comes after
/// it. A lost message, a second one and one that comes late all end well, because the ledger alone says what is to do.
/// </summary>
internal sealed partial class RunChunkConsumer(ChunkWork work, ProbationGate gate, ConsumerOptions options, ILogger<RunChunkConsumer> logger) : IConsumer<RunChunk>
{
    public async Task Consume(ConsumeContext<RunChunk> context)
    {
        var (job, chunkNo, _, attempt) = context.Message;
        var cancellation = context.CancellationToken;
        HeldLease? held = null;
        try
        {
            using var place = await gate.EnterAsync(alone: attempt > 0, cancellation);
            held = await work.ClaimAsync(context.Message, cancellation);
            if (held is not null)
            {
                await work.RunAsync(held, context.Message.Model, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested || held?.Stopped.IsCancellationRequested == true)
        {
            await work.ReleaseAsync(held, countAttempt: false);
        }
        catch (Exception failure) when (context.GetRetryAttempt() >= options.Retries)
        {
            // Not thrown on: the ledger hands the chunk out again, and an error queue would only keep a second copy of that fact.
            GivenBack(job, chunkNo, failure);
            await work.ReleaseAsync(held, countAttempt: failure is UnansweredItemsException, failure.Message);
        }
    }

    [LoggerMessage(3020, LogLevel.Error, "Chunk {Chunk} of job {Job} is given back after all retries")]
    private partial void GivenBack(JobId job, int chunk, Exception failure);
}
