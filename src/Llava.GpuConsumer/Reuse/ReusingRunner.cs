using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Reuse;

/// <summary>
/// A model's runner for one chunk of a job that wants answers given again: what is in the cache is answered from it, of equal items
/// the first is run and the others wait for its answer, and the rest is run.
/// </summary>
internal sealed class ReusingRunner : IItemRunner
{
    // Reading is waiting for a disk or a network; four at a time keep it busy without taking it from the other chunks.
    private const int Readers = 4;

    private readonly IItemRunner _runner;
    private readonly ResultCache _cache;
    private readonly JobId _job;
    private readonly KeptImages _images;
    private readonly bool _isShared;
    private readonly Dictionary<int, string> _keys;
    private readonly Dictionary<string, CachedResult> _found;
    private readonly Dictionary<string, FirstAnswer> _firsts;

    private ReusingRunner(IItemRunner runner, ResultCache cache, JobId job, KeptImages images, bool isShared, Dictionary<int, string> keys, Dictionary<string, CachedResult> found)
    {
        (_runner, _cache, _job, _images, _isShared, _keys, _found) = (runner, cache, job, images, isShared, keys, found);
        _firsts = keys.GroupBy(key => key.Value, key => key.Key).ToDictionary(items => items.Key, items => new FirstAnswer(items.Min()));
    }

    public string Model => _runner.Model;

    public string Revision => _runner.Revision;

    public int Slots => _runner.Slots;

    /// <summary>Reads and hashes the items' images and looks all of them up at once.</summary>
    public static async Task<ReusingRunner> PrepareAsync(
        IItemRunner runner, IImageBytes source, ResultCache cache, JobId job, JobRequest request, IReadOnlyList<ClaimedItem> items, CancellationToken cancellation)
    {
        KeptImages images = new(source);
        var hashes = await HashAsync(images, items.SelectMany(item => item.Images).Distinct(StringComparer.Ordinal), cancellation);
        Dictionary<int, string> keys = [];
        foreach (var item in items)
        {
            // What cannot be asked or read has no key: it is run as ever, and fails with its own words.
            if (PromptTemplate.Compose(request.Prompt, item.Prompt) is { } prompt && item.Images.All(hashes.ContainsKey))
            {
                keys[item.ItemNo] = (AnswerKey.Of(job, item.ItemNo, request, runner.Revision, prompt, [.. item.Images.Select(image => hashes[image])]) with { Chat = item.Chat }).Hash();
            }
        }

        var found = await cache.FindAsync([.. keys.Values.Distinct()], cancellation);
        images.KeepOnly(items.Where(item => keys.TryGetValue(item.ItemNo, out var key) && !found.ContainsKey(key)).SelectMany(item => item.Images).ToHashSet());
        return new(runner, cache, job, images, request.Cache, keys, found);
    }

    public async Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
    {
        if (!_keys.TryGetValue(item.ItemNo, out var key))
        {
            return await _runner.RunAsync(item, cancellation);
        }

        if (_found.TryGetValue(key, out var cached))
        {
            return new(cached.Text ?? "", cached.FinishReason ?? "", default, null, cached.Confidence, cached.Source);
        }

        var first = _firsts[key];
        return first.ItemNo == item.ItemNo ? await RunFirstAsync(first, item, cancellation)
            : await first.Answer.Task.WaitAsync(cancellation) is { } answer ? answer with { Usage = default, Timings = null, CopyOf = new(_job, first.ItemNo) }
            : await RunOwnAsync(item, cancellation); // the first failed: what it said names its own image
    }

    /// <summary>Keeps new answers for those who come later.</summary>
    /// <param name="recorded">Items whose results are recorded.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task StoreAsync(IEnumerable<FinishedItem> recorded, CancellationToken cancellation) => _cache.StoreAsync(
        [
            .. from item in recorded
               where item is { Outcome: ItemOutcome.Succeeded, CopyOf: null } && _keys.ContainsKey(item.ItemNo)
               select new CachedResult(_keys[item.ItemNo], _isShared ? null : _job.Value, _job.Value, item.ItemNo, item.Text, item.FinishReason, item.Confidence),
        ],
        cancellation);

    private async Task<ItemAnswer> RunFirstAsync(FirstAnswer first, WorkItem item, CancellationToken cancellation)
    {
        try
        {
            var answer = await RunOwnAsync(item, cancellation);
            first.Answer.SetResult(answer);
            return answer;
        }
        catch
        {
            first.Answer.SetResult(null);
            throw;
        }
    }

    private Task<ItemAnswer> RunOwnAsync(WorkItem item, CancellationToken cancellation) => _runner.RunAsync(item with { ImageBytes = _images }, cancellation);

    private static async Task<IReadOnlyDictionary<string, string>> HashAsync(KeptImages images, IEnumerable<string> wanted, CancellationToken cancellation)
    {
        ConcurrentDictionary<string, string> hashes = new(StringComparer.Ordinal);
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = Readers, CancellationToken = cancellation }, async (image, token) =>
        {
            try
            {
                hashes[image] = await images.HashAsync(image, token);
            }
            catch (ItemException)
            {
                // The runner will say so in its item's result.
            }
        });
        return hashes;
    }

    /// <summary>The first of equal items, and its answer; null when it got none.</summary>
    private sealed record FirstAnswer(int ItemNo)
    {
        public TaskCompletionSource<ItemAnswer?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
