using System.Security.Cryptography;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;

namespace Llava.GpuConsumer.Reuse;

/// <summary>
/// What an answer depends on and nothing else: equal keys, equal answers. The scope is part of it, so that one table serves copies
/// within a job and answers kept for later jobs.
/// </summary>
/// <param name="Scope">Where the answer may be given again.</param>
/// <param name="Model">Name of the model: it chooses the conversation template where nobody names one.</param>
/// <param name="Revision">Revision of its weights.</param>
/// <param name="ConversationTemplate">The template that was asked for.</param>
/// <param name="ImageAspect">How images are made square, where that was asked for.</param>
/// <param name="Generation">All settings, the item's own seed among them.</param>
/// <param name="Prompt">The whole text.</param>
/// <param name="Images">SHA-256 of each image's bytes, in the order of their placeholders.</param>
internal sealed record AnswerKey(
    string Scope, string Model, string Revision, string? ConversationTemplate, string? ImageAspect, GenerationSettings Generation, string Prompt, IReadOnlyList<string> Images)
{
    /// <summary>What the item asks for beyond one question; null, and not part of the hash, where that is nothing.</summary>
    public ItemChat? Chat { get; init; }

    /// <summary>The key of an item.</summary>
    public static AnswerKey Of(JobId job, int itemNo, JobRequest request, string revision, string prompt, IReadOnlyList<string> images) => new(
        request.Cache ? $"tenant:{request.Tenant}" : $"job:{job}",
        request.Model,
        revision,
        request.ConversationTemplate,
        request.ImageAspect,
        request.Generation with { Seed = SeedOf(request, itemNo) },
        prompt,
        images);

    /// <summary>The key as it is stored.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this, RequestJson.Options)));

    /// <summary>Where nothing is drawn no seed matters; within one job equal items share one answer, whatever each would have drawn.</summary>
    private static long? SeedOf(JobRequest request, int itemNo) =>
        request.Cache && request.Generation.Temperature > 0 ? request.Generation.Seed + itemNo : null;
}
