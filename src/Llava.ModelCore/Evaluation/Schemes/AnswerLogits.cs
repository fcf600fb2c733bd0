using System.Collections.Concurrent;
using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Evaluation.Schemes;

/// <summary>A model's logits at each token of its answers, or of answers that are given.</summary>
internal sealed class AnswerLogits(LoadedModel model)
{
    /// <summary>Answers greedily; the logits are those that chose each token.</summary>
    public Task<IReadOnlyList<AnswerRows>> OfOwnAsync(IReadOnlyList<Question> questions, CancellationToken cancellation) =>
        RunAsync([.. questions.Select(question => model.Prepare(question).Request)], cancellation);

    /// <summary>Says what is given, token by token; the logits are what the model would have said instead.</summary>
    public Task<IReadOnlyList<AnswerRows>> OfGivenAsync(IReadOnlyList<Question> questions, IReadOnlyList<AnswerRows> answers, CancellationToken cancellation) =>
        RunAsync([.. questions.Zip(answers, (question, answer) => Forced(model.Prepare(question).Request, answer.Tokens))], cancellation);

    private static SequenceRequest Forced(SequenceRequest request, IReadOnlyList<int> tokens) =>
        request with { Forced = tokens, StopCondition = null, Sampling = request.Sampling with { MaxNewTokens = tokens.Count } };

    private async Task<IReadOnlyList<AnswerRows>> RunAsync(IReadOnlyList<SequenceRequest> requests, CancellationToken cancellation)
    {
        ConcurrentDictionary<SequenceHandle, List<float[]>> rows = [];
        model.Engine.Sampled = (sequence, logits) => rows.GetOrAdd(sequence.Handle, _ => []).Add(logits.ToArray());
        List<SequenceHandle> handles = [];
        foreach (var request in requests)
        {
            handles.Add(await model.Engine.SubmitAsync(request, cancellation));
        }

        var results = await Task.WhenAll(handles.Select(handle => handle.Completion));
        model.Engine.Sampled = null;
        return [.. handles.Zip(results, (handle, result) => result.Error is { } failed ? throw failed : new AnswerRows(result.Tokens, rows[handle]))];
    }
}

/// <summary>An answer's tokens, with the logits (vocabulary) at each.</summary>
internal sealed record AnswerRows(IReadOnlyList<int> Tokens, IReadOnlyList<float[]> Logits);
