using Llava.Contracts.OpenAi;
using Llava.GpuConsumer.Telemetry;
using Llava.Hosting.Paths;
using Llava.Ledger.Results;
using Llava.ModelCore;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Scenes;

namespace Llava.GpuConsumer.Runners;

/// <summary>Answers items with a model of ours: reads the images, prepares them on CPU threads, and lets the engine batch them.</summary>
internal sealed class EngineItemRunner(string name, LoadedModel model, int slots, IImageBytes images, TimeProvider time) : IItemRunner, IAsyncDisposable
{
    private const int MostFetched = 64;
    private const int TrialSide = 64;
    private const int TrialTokens = 4;

    // As many as there are cores: preparation is CPU work, and pixels of items that wait are memory.
    private readonly SemaphoreSlim _preparing = new(Environment.ProcessorCount);

    // Items whose images are on their way or wait in memory to be prepared.
    private readonly SemaphoreSlim _fetched = new(MostFetched);

    /// <inheritdoc/>
    public string Model => name;

    /// <inheritdoc/>
    public string Revision => model.Revision;

    /// <inheritdoc/>
    public int Slots => slots;

    /// <inheritdoc/>
    public IChatRunner Chat { get; } = new EngineChatRunner(model);

    /// <inheritdoc/>
    public EngineStatistics? Statistics => model.Statistics;

    /// <inheritdoc/>
    public long MemoryBytes => model.Memory.Total;

    /// <inheritdoc/>
    public string? FindProblem(TimeSpan stallAfter) =>
        model.Fault is { } fault ? $"its engine ended with an internal error: {fault.Message} Restart this worker."
        : model.TimeWithoutStep is var stalled && stalled > stallAfter ? FormattableString.Invariant($"its engine has work and has taken no step for {stalled.TotalSeconds:0} s. Restart this worker if that lasts.")
        : null;

    /// <summary>Asks about a small drawn scene: decoding, preprocessing, vision tower, prefill and decode, as for any item.</summary>
    public async Task<ItemAnswer?> TryOutAsync(CancellationToken cancellation)
    {
        Question question = new()
        {
            Text = "What is this?",
            Images = model.HasVision ? [ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 1), TrialSide)] : [],
            Sampling = new() { MaxNewTokens = TrialTokens },
        };
        return ToItemAnswer(await model.AnswerAsync(await Task.Run(() => model.Prepare(question), cancellation), cancellation), TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public async Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
    {
        try
        {
            var asked = time.GetTimestamp();
            if (item.Chat?.Embedding is { } encoding)
            {
                return await EmbedAsync(item, encoding, asked, cancellation);
            }

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
        catch (GrammarException e)
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
        _fetched.Dispose();
    }

    /// <summary>Vectors of the item's images. Nothing is generated, so all of its time is that of reading the prompt.</summary>
    private async Task<ItemAnswer> EmbedAsync(WorkItem item, VectorEncoding encoding, long asked, CancellationToken cancellation)
    {
        var vectors = await WithImagesAsync(item, async read =>
        {
            List<float[]> made = new(read.Count);
            foreach (var image in read)
            {
                made.Add(await model.EmbedAsync(image, cancellation));
            }

            return made;
        }, cancellation);
        return new(
            VectorText.Json(vectors, encoding), "stop", new(vectors.Count * model.ImageTokens, 0, 0), new(0, 0, time.GetElapsedTime(asked).TotalMilliseconds, 0));
    }

    private async Task<PreparedQuestion> PrepareAsync(WorkItem item, CancellationToken cancellation)
    {
        using var activity = ConsumerActivity.Start("prepare item");
        return await WithImagesAsync(item, read => PrepareAsync(item, read, cancellation), cancellation);
    }

    /// <summary>Files are read when their turn to be prepared comes; what is fetched comes ahead of that, so that slow servers hold up nobody's place.</summary>
    private async Task<T> WithImagesAsync<T>(WorkItem item, Func<IReadOnlyList<byte[]>, Task<T>> prepare, CancellationToken cancellation)
    {
        if (!item.Images.Any(ImageLocation.IsUrl))
        {
            return await InTurnAsync(async () => await prepare(await ReadAsync(item, cancellation)), cancellation);
        }

        await _fetched.WaitAsync(cancellation);
        try
        {
            var fetched = await ReadAsync(item, cancellation);
            return await InTurnAsync(() => prepare(fetched), cancellation);
        }
        finally
        {
            _fetched.Release();
        }
    }

    private async Task<IReadOnlyList<byte[]>> ReadAsync(WorkItem item, CancellationToken cancellation)
    {
        List<byte[]> bytes = new(item.Images.Count);
        foreach (var image in item.Images)
        {
            bytes.Add(await (item.ImageBytes ?? images).ReadAsync(image, cancellation));
        }

        return bytes;
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> prepare, CancellationToken cancellation)
    {
        await _preparing.WaitAsync(cancellation);
        try
        {
            return await prepare();
        }
        finally
        {
            _preparing.Release();
        }
    }

    private Task<PreparedQuestion> PrepareAsync(WorkItem item, IReadOnlyList<byte[]> bytes, CancellationToken cancellation) =>
        Task.Run(() => item.Chat is { } chat ? model.Chat.PrepareItem(ItemChats.ToPrompt(item, chat, bytes), PriorityOf(item)) : model.Prepare(ToQuestion(item, bytes)), cancellation);

    private static RequestPriority PriorityOf(WorkItem item) => item.Express ? RequestPriority.Express : RequestPriority.Bulk;

    private static Question ToQuestion(WorkItem item, IReadOnlyList<byte[]> images)
    {
        var settings = item.Request.Generation;
        return new Question
        {
            Text = item.Prompt,
            Priority = PriorityOf(item),
            Images = images,
            Template = item.Request.ConversationTemplate,
            Aspect = ItemChats.AspectOf(item.Request),
            StopStrings = settings.StopStrings,
            Grammar = AnswerShapes.Of(settings),
            Alternatives = settings.Choices ?? [],
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
            answer.Confidence);
    }
}
