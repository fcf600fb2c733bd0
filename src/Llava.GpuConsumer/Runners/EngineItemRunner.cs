using Llava.GpuConsumer.Telemetry;
using Llava.Ledger.Results;
using Llava.ModelCore;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;

namespace Llava.GpuConsumer.Runners;

/// <summary>Answers items with a model of ours: reads the images, prepares them on CPU threads, and lets the engine batch them.</summary>
internal sealed class EngineItemRunner(string name, LoadedModel model, int slots, TimeProvider time) : IItemRunner, IAsyncDisposable
{
    // As many as there are cores: preparation is CPU work, and pixels of items that wait are memory.
    private readonly SemaphoreSlim _preparing = new(Environment.ProcessorCount);

    /// <inheritdoc/>
    public string Model => name;

    /// <inheritdoc/>
    public string Revision => model.Revision;

    /// <inheritdoc/>
    public int Slots => slots;

    /// <inheritdoc/>
    public EngineStatistics? Statistics => model.Statistics;

    /// <inheritdoc/>
    public async Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
    {
        try
        {
            var asked = time.GetTimestamp();
            var question = await PrepareAsync(item, cancellation);
            var prepared = time.GetElapsedTime(asked);
            return ToItemAnswer(await model.AnswerAsync(question, cancellation), prepared);
        }
        catch (ImageException e)
        {
            throw new ItemException(e.Code, e.Message, e);
        }
        catch (RequestRefusedException e)
        {
            throw new ItemException(e.Code, e.Message, e);
        }
        catch (PromptException e)
        {
            throw new ItemException("invalid_prompt", e.Message, e);
        }
        catch (SequenceFailedException e) when (!e.IsRetryable)
        {
            throw new ItemException("generation_failed", e.Message, e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await model.DisposeAsync();
        _preparing.Dispose();
    }

    private async Task<PreparedQuestion> PrepareAsync(WorkItem item, CancellationToken cancellation)
    {
        using var activity = ConsumerActivity.Start("prepare item");
        await _preparing.WaitAsync(cancellation);
        try
        {
            var images = new List<byte[]>(item.Images.Count);
            foreach (var path in item.Images)
            {
                images.Add(await item.ImageBytes.ReadAsync(path, cancellation));
            }

            return await Task.Run(() => model.Prepare(ToQuestion(item, images)), cancellation);
        }
        finally
        {
            _preparing.Release();
        }
    }

    private static Question ToQuestion(WorkItem item, IReadOnlyList<byte[]> images)
    {
        var settings = item.Request.Generation;
        return new Question
        {
            Text = item.Prompt,
            Priority = item.Express ? RequestPriority.Express : RequestPriority.Bulk,
            Images = images,
            Template = item.Request.ConversationTemplate,
            Aspect = item.Request.ImageAspect is { } aspect ? Enum.Parse<ImageAspect>(aspect, ignoreCase: true) : null,
            StopStrings = settings.StopStrings,
            Sampling = new SamplingSettings
            {
                MaxNewTokens = settings.MaxNewTokens,
                Temperature = settings.Temperature,
                TopP = settings.TopP,
                TopK = settings.TopK,
                RepetitionPenalty = settings.RepetitionPenalty,
                // A job's seed gives every item draws of its own that a redelivery repeats.
                Seed = settings.Seed is { } seed ? seed + item.ItemNo : null,
            },
        };
    }

    private static ItemAnswer ToItemAnswer(Answer answer, TimeSpan prepared)
    {
        var (usage, timings) = (answer.Sequence.Usage, answer.Sequence.Timings);
        return new ItemAnswer(
            answer.Text,
            answer.Sequence.Reason == FinishReason.Length ? "length" : "stop",
            new TokenUsage(usage.PromptTokens, usage.CompletionTokens, usage.CachedTokens),
            new ItemTimings(prepared.TotalMilliseconds, timings.Queued.TotalMilliseconds, timings.Prefill.TotalMilliseconds, timings.Decode.TotalMilliseconds),
            Math.Exp(answer.Sequence.Confidence.MeanLogProbability));
    }
}
