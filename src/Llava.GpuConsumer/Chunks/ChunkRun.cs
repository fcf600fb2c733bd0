using System.Diagnostics;
using System.Threading.Channels;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Contracts.Telemetry;
using Llava.GpuConsumer.Reuse;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Telemetry;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Chunks;

/// <summary>
/// Runs the items of a claimed chunk side by side and records each as soon as the commit before it is through: alone when the
/// model is slow, all together when it is fast.
/// </summary>
internal sealed class ChunkRun(ChunkLedger ledger, HeldLease held, JobRequest request, IItemRunner runner, ReusingRunner? reuse, ConsumerMetrics metrics, TimeProvider time)
{
    /// <summary>Code of an item that has nothing to ask.</summary>
    public const string NoPrompt = "no_prompt";

    private readonly Channel<FinishedItem?> _ended = Channel.CreateUnbounded<FinishedItem?>(new() { SingleReader = true });
    private readonly List<Exception> _failures = [];
    private readonly ChunkLease _lease = held.Lease;

    /// <summary>Runs and records all items.</summary>
    /// <returns>False when the lease was lost: nothing of what was left was recorded.</returns>
    /// <exception cref="OperationCanceledException">Stopped; what had ended by then is recorded.</exception>
    /// <exception cref="UnansweredItemsException">Items failed for reasons that are not theirs; the others are recorded.</exception>
    public async Task<bool> RunAsync(IReadOnlyList<ClaimedItem> items, CancellationToken cancellation)
    {
        if (items.Count == 0)
        {
            return await ledger.Results.CommitAsync(_lease, [], completesChunk: true, runner.Revision);
        }

        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        foreach (var item in items)
        {
            _ = RunItemAsync(item, lost.Token);
        }

        if (!await RecordAsync(items.Count))
        {
            await lost.CancelAsync();
            return false;
        }

        cancellation.ThrowIfCancellationRequested();
        return _failures.Count == 0 ? true : throw new UnansweredItemsException(_failures, items.Count);
    }

    private async Task RunItemAsync(ClaimedItem item, CancellationToken cancellation)
    {
        FinishedItem? finished = null;
        using var activity = ConsumerActivity.StartItem(item);
        try
        {
            finished = await AnswerAsync(item, cancellation);
        }
        catch (ItemException failure)
        {
            finished = FinishedItem.Failed(item.ItemNo, new(failure.Code, failure.Message));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Put down: it stays without a result and is run again if its job goes on.
        }
        catch (Exception failure)
        {
            // One item must not take its neighbours along; the chunk is tried again for this one alone.
            lock (_failures)
            {
                _failures.Add(failure);
            }
        }
        finally
        {
            ConsumerActivity.End(activity, finished);
            _ended.Writer.TryWrite(finished);
        }
    }

    private async Task<FinishedItem> AnswerAsync(ClaimedItem item, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var prompt = PromptTemplate.Compose(request.Prompt, item.Prompt) ?? throw new ItemException(NoPrompt, $"Item '{item.CustomId}' has nothing to ask; give it or its job a prompt.");
        var waited = time.GetElapsedTime(held.Claimed);
        var answer = await (reuse ?? runner).RunAsync(new(_lease.Job, item.ItemNo, item.Images, prompt, request) { Chat = item.Chat, Express = held.Express }, cancellation);
        ConsumerActivity.AddPhases(Activity.Current, answer);
        return new()
        {
            ItemNo = item.ItemNo,
            Outcome = ItemOutcome.Succeeded,
            Text = answer.Text,
            FinishReason = answer.FinishReason,
            Usage = answer.Usage,
            Timings = answer.Timings is { } timings ? timings with { PrepareMs = timings.PrepareMs + waited.TotalMilliseconds } : null,
            Confidence = answer.Confidence,
            CopyOf = answer.CopyOf,
        };
    }

    /// <summary>Records what has ended until all <paramref name="count"/> items have; false when the lease was lost.</summary>
    private async Task<bool> RecordAsync(int count)
    {
        var isWhole = true;
        for (var ended = 0; ended < count;)
        {
            await _ended.Reader.WaitToReadAsync();
            List<FinishedItem> finished = [];
            for (; _ended.Reader.TryRead(out var item); ended++)
            {
                isWhole &= item is not null;
                finished.AddRange(item is null ? [] : [item]);
            }

            var completes = isWhole && ended == count;
            if (finished.Count > 0 && !await SaveAsync(finished, completes))
            {
                return false;
            }

            if (reuse is not null)
            {
                await reuse.StoreAsync(finished, CancellationToken.None);
            }
        }

        return true;
    }

    private async Task<bool> SaveAsync(List<FinishedItem> finished, bool completesChunk)
    {
        using var activity = ConsumerActivity.Start("save results")?.SetTag(TelemetryTags.Items, finished.Count);
        var started = Stopwatch.GetTimestamp();
        if (!await ledger.Results.CommitAsync(_lease, finished, completesChunk, runner.Revision))
        {
            return false;
        }

        metrics.Saved(started, request.Model, finished);
        foreach (var ((outcome, error), count) in finished.CountBy(item => (item.Outcome, item.Failure?.Code)))
        {
            ledger.Metrics.ItemsFinished(count, outcome, request.Model, error);
        }

        return true;
    }
}
