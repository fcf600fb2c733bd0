using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Engine;

/// <summary>
/// Runs requests in one continuous batch on a thread of its own. Any thread may submit; a request's text does not depend on
/// what else runs.
/// </summary>
public sealed class LlavaEngine : IAsyncDisposable
{
    private readonly LlavaConfig _config;
    private readonly int _kvPositions;
    private readonly long _bytesPerPosition;
    private readonly TimeProvider _time;
    private readonly EngineLoop _loop;
    private readonly Thread _thread;
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Room in the waiting queue, per class: bulk that fills its queue must not keep interactive requests out.
    private readonly SemaphoreSlim[] _room;
    private readonly Lock _gate = new();
    private readonly List<Sequence> _submitted = [];
    private readonly List<Sequence> _cancelled = [];
    private readonly List<EmbeddingRequest> _embeddings = [];
    private Phase _phase = Phase.Running;
    private Exception? _fault;

    /// <summary>Starts an engine on the reference runner.</summary>
    /// <param name="model">The model; it is the engine's alone until the engine is disposed, and is not disposed with it.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="time">Clock of timings and limits; null is the system's.</param>
    /// <exception cref="EngineOptionsException">The options contradict each other; the message lists every finding.</exception>
    public LlavaEngine(LlavaModel model, EngineOptions options, TimeProvider? time = null)
        : this(model.Config, options, KvArena.BytesPerPosition(model.Config.LanguageModel), positions => new TorchRunner(model, options, positions, time ?? TimeProvider.System), time ?? TimeProvider.System)
    {
    }

    /// <summary>Starts an engine on our own kernels.</summary>
    /// <param name="images">Vision tower and projector; the engine's alone until it is disposed, and not disposed with it.</param>
    /// <param name="weights">The language model; disposed with the engine.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="time">Clock of timings and limits; null is the system's.</param>
    /// <exception cref="EngineOptionsException">The options contradict each other; the message lists every finding.</exception>
    /// <exception cref="KernelUnavailableException">The options name a kernel that this machine cannot run.</exception>
    internal LlavaEngine(LlavaModel images, DecoderWeights weights, EngineOptions options, TimeProvider? time = null)
        : this(images.Config, options, options.BytesPerPosition(images.Config.LanguageModel), positions => new CpuRunner(images, weights, options, positions, time ?? TimeProvider.System), time ?? TimeProvider.System)
    {
    }

    /// <summary>Starts an engine on any runner.</summary>
    internal LlavaEngine(LlavaConfig config, EngineOptions options, Func<int, IStepRunner> runner, TimeProvider time)
        : this(config, options, options.BytesPerPosition(config.LanguageModel), runner, time)
    {
    }

    private LlavaEngine(LlavaConfig config, EngineOptions options, long bytesPerPosition, Func<int, IStepRunner> runner, TimeProvider time)
    {
        options.RequireValid();
        (_config, _bytesPerPosition, _time) = (config, bytesPerPosition, time);
        var planner = new StepPlanner(options, options.KvPositionsFor(config.LanguageModel, bytesPerPosition));
        _kvPositions = planner.KvCapacity;
        _room = [.. Enum.GetValues<RequestPriority>().Select(_ => new SemaphoreSlim(options.MaxWaiting))];
        _loop = new EngineLoop(planner, runner(planner.KvCapacity), options.MaxSlots, time)
        {
            LeftQueue = sequence => _room[(int)sequence.Request.Priority].Release(),
        };
        _thread = new Thread(RunLoop) { IsBackground = true, Name = "llava-engine" };
        _thread.Start();
    }

    private enum Phase
    {
        Running,
        Draining,
        Aborting,
        Stopped,
    }

    /// <summary>Positions one sequence may have: prompt with image features, and new tokens.</summary>
    public int ContextLimit => Math.Min(_kvPositions, LanguageModelPositions.Limit(_config.LanguageModel));

    /// <summary>Bytes of the KV cache.</summary>
    internal long KvBytes => _kvPositions * _bytesPerPosition;

    /// <summary>Has the logits of every row that samples, on the engine's thread; set it while nothing runs.</summary>
    internal RowSampling.SampledRow? Sampled
    {
        set => _loop.Sampled = value;
    }

    /// <summary>What the engine is doing.</summary>
    public EngineStatistics Statistics => _loop.Statistics;

    /// <summary>How long there has been work and no step; zero while there is none.</summary>
    public TimeSpan TimeWithoutStep => _loop.TimeWithoutStep;

    /// <summary>The defect that ended the engine's thread; null while it runs.</summary>
    public Exception? Fault => Volatile.Read(ref _fault);

    /// <summary>Positions a request's prompt takes, image features included.</summary>
    /// <exception cref="RequestRefusedException">The request cannot be run.</exception>
    public int CountPositions(SequenceRequest request) => PromptLayout.Of(request, _config).Positions;

    /// <summary>Submits a request if there is room in its class's queue.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels the sequence, as <see cref="SequenceHandle.Cancel"/> does.</param>
    /// <exception cref="RequestRefusedException">The request cannot be run by this model or within its context.</exception>
    /// <exception cref="EngineBusyException">The queue is full.</exception>
    /// <exception cref="EngineStoppedException">The engine is stopping.</exception>
    public SequenceHandle Submit(SequenceRequest request, CancellationToken cancellationToken = default)
    {
        var sequence = Prepare(request);
        if (!RoomFor(sequence).Wait(0, CancellationToken.None))
        {
            throw new EngineBusyException($"The engine's queue for {request.Priority} requests is full. Submit again later or wait with {nameof(SubmitAsync)}.");
        }

        return Enqueue(sequence, cancellationToken);
    }

    /// <summary>Submits a request, waiting while its class's queue is full.</summary>
    /// <inheritdoc cref="Submit"/>
    /// <exception cref="OperationCanceledException">Cancelled while waiting for room.</exception>
    public async Task<SequenceHandle> SubmitAsync(SequenceRequest request, CancellationToken cancellationToken = default)
    {
        var sequence = Prepare(request);
        await RoomFor(sequence).WaitAsync(cancellationToken);
        return Enqueue(sequence, cancellationToken);
    }

    /// <summary>One vector of length 1 for an image (vision tower's hidden size), computed between two steps of the batch.</summary>
    /// <exception cref="EngineStoppedException">The engine is stopping.</exception>
    public Task<float[]> EmbedAsync(ImageInput image)
    {
        EmbeddingRequest request = new(image);
        lock (_gate)
        {
            ThrowIfStopping();
            _embeddings.Add(request);
        }

        _wake.Set();
        return request.Completion.Task;
    }

    /// <summary>
    /// Takes no more requests, cancels those that wait, and lets running ones finish until the limit cancels them too.
    /// Completes when the engine's thread has ended.
    /// </summary>
    /// <param name="limit">How long running sequences may take; zero cancels them at once.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        Enter(limit > TimeSpan.Zero ? Phase.Draining : Phase.Aborting);
        if (limit > TimeSpan.Zero)
        {
            using var reached = new CancellationTokenSource();
            await Task.WhenAny(_stopped.Task, Task.Delay(limit, _time, reached.Token));
            await reached.CancelAsync();
            Enter(Phase.Aborting);
        }

        await _stopped.Task;
    }

    /// <summary>Cancels everything and ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _thread.Join();
        _wake.Dispose();
    }

    private Sequence Prepare(SequenceRequest request)
    {
        var sequence = new Sequence(request, PromptLayout.Of(request, _config)) { SubmittedAt = _time.GetTimestamp() };
        if (sequence.Reserved > ContextLimit || sequence.Layout.Positions > (_config.MaxSplicedPositions ?? int.MaxValue))
        {
            var limit = Math.Min(ContextLimit, _config.MaxSplicedPositions ?? int.MaxValue);
            throw new RequestRefusedException(
                "prompt_too_long",
                $"The prompt has {sequence.Layout.Positions} positions (image features included) and asks for {request.Sampling.MaxNewTokens} new tokens: {sequence.Reserved} in all. The limit is {ContextLimit}, of which the prompt may take {limit}. Shorten the prompt or ask for fewer tokens.");
        }

        return sequence;
    }

    private SemaphoreSlim RoomFor(Sequence sequence) => _room[(int)sequence.Request.Priority];

    private SequenceHandle Enqueue(Sequence sequence, CancellationToken cancellationToken)
    {
        sequence.Handle.CancelRequested = () => Cancel(sequence);
        lock (_gate)
        {
            if (_phase != Phase.Running)
            {
                RoomFor(sequence).Release();
            }

            ThrowIfStopping();
            _submitted.Add(sequence);
        }

        _wake.Set();
        if (cancellationToken.CanBeCanceled)
        {
            var registration = cancellationToken.Register(() => Cancel(sequence));
            _ = sequence.Handle.Completion.ContinueWith(
                _ => registration.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return sequence.Handle;
    }

    private void ThrowIfStopping()
    {
        if (_phase != Phase.Running)
        {
            throw new EngineStoppedException(_fault is null
                ? "The engine is stopping and takes no more requests."
                : $"The engine stopped after an internal error: {_fault.Message}");
        }
    }

    private void Cancel(Sequence sequence)
    {
        lock (_gate)
        {
            if (_phase == Phase.Stopped)
            {
                return;
            }

            _cancelled.Add(sequence);
            _wake.Set();
        }
    }

    private void Enter(Phase phase)
    {
        lock (_gate)
        {
            if (phase > _phase)
            {
                _phase = phase;
                _wake.Set();
            }
        }
    }

    private void RunLoop()
    {
        try
        {
            while (TakeIn())
            {
                // One embedding between two steps: neither starves the other.
                if (!_loop.Step() & !EmbedNext())
                {
                    _wake.WaitOne();
                }
            }
        }
        catch (Exception e)
        {
            // A defect in the engine itself. Nobody may wait for ever because of it.
            Volatile.Write(ref _fault, e);
        }
        finally
        {
            End();
        }
    }

    /// <summary>Takes submissions and cancellations in; false when the engine has to end.</summary>
    private bool TakeIn()
    {
        Sequence[] submitted, cancelled;
        Phase phase;
        lock (_gate)
        {
            (submitted, cancelled, phase) = ([.. _submitted], [.. _cancelled], _phase);
            _submitted.Clear();
            _cancelled.Clear();
        }

        Array.ForEach(submitted, _loop.Enqueue);
        foreach (var sequence in cancelled)
        {
            _loop.Finish(sequence, FinishReason.Cancelled);
        }

        if (phase >= Phase.Draining)
        {
            _loop.FinishAll(FinishReason.Cancelled, waitingOnly: phase == Phase.Draining);
        }

        return phase == Phase.Running || _loop.LiveCount > 0;
    }

    /// <summary>Computes the embedding that waits longest; false when none does.</summary>
    private bool EmbedNext()
    {
        EmbeddingRequest request;
        lock (_gate)
        {
            if (_embeddings is not [var first, ..])
            {
                return false;
            }

            request = first;
            _embeddings.RemoveAt(0);
        }

        try
        {
            request.Completion.SetResult(_loop.Embed(request.Image));
        }
        catch (Exception e)
        {
            // One image that cannot be embedded leaves the batch alone.
            request.Completion.SetException(e);
        }

        return true;
    }

    private void End()
    {
        Enter(Phase.Stopped);
        _submitted.ForEach(_loop.Enqueue);
        if (_fault is null)
        {
            _loop.FinishAll(FinishReason.Cancelled);
        }
        else
        {
            _loop.Abandon(_fault);
        }

        _embeddings.ForEach(request => request.Completion.SetException(new EngineStoppedException("The engine stopped before it came to the image.")));
        _loop.Dispose();
        _stopped.SetResult();
    }

    private sealed record EmbeddingRequest(ImageInput Image)
    {
        public TaskCompletionSource<float[]> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
