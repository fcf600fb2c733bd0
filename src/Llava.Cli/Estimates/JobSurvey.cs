using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Dashboard.Estimates;
using Llava.Ledger.Estimates;
using Llava.ModelCore;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Prompts;
using Llava.Scheduler.Sources;

namespace Llava.Cli.Estimates;

/// <summary>Counts a source's items with the scheduler's readers and, where the model is on this machine, its prompts with the model's tokenizer.</summary>
/// <param name="sources">Reads sources.</param>
/// <param name="takesPaths">Whether a model may be named by its folder, as at a terminal; what comes over the network may not look into folders.</param>
internal sealed class JobSurvey(SourceSurveyor sources, bool takesPaths = false) : IJobSurvey, IDisposable
{
    private const int ReadAtOnce = 2;

    private readonly ConcurrentDictionary<string, PromptCounter> _counters = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _reading = new(ReadAtOnce);

    /// <inheritdoc/>
    public async Task<SourceSurvey> OfAsync(JobRequest request, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            // Folders are walked without waiting: on a thread that nobody else needs.
            var source = await Task.Run(() => sources.SurveyAsync(request, cancellationToken), cancellationToken);
            var (text, images) = Measure(request, source.Shown);
            return new() { Items = source.Items, Rejected = source.Rejected, IsCut = source.IsCut, PromptTokens = text, ImageTokens = images };
        }
        catch (JobException refused)
        {
            return new() { Problem = $"The items were not counted: {refused.Message}" };
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();

    private (IReadOnlyList<int> Text, IReadOnlyList<int> Images) Measure(JobRequest request, IReadOnlyList<ItemSpec> items)
    {
        if (Counter(request.Model) is not { } counter)
        {
            return ([], []);
        }

        try
        {
            // A conversation of several turns is more than its last one.
            List<ItemSpec> asked = [.. items.Where(item => item.Chat is null && PromptTemplate.Compose(request.Prompt, item.Prompt) is not null)];
            return (
                asked.ConvertAll(item => counter.CountText(PromptTemplate.Compose(request.Prompt, item.Prompt)!, item.Images.Count, request.ConversationTemplate)),
                asked.ConvertAll(item => item.Images.Count * counter.ImageTokens));
        }
        catch (PromptException)
        {
            // The job's items will fail for it, each with a result that says so.
            return ([], []);
        }
    }

    private PromptCounter? Counter(string model)
    {
        if (!takesPaths && model != Path.GetFileName(model))
        {
            return null;
        }

        try
        {
            return _counters.GetOrAdd(model, name => PromptCounter.Open(ModelFolders.Resolve(name)));
        }
        catch (Exception missing) when (missing is UsageException or LlavaException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
