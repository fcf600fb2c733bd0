using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Api;
using Llava.Dashboard.Interactive;
using Llava.Dashboard.OpenApi;
using Llava.Hosting.Paths;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>The body of <c>POST /embeddings</c>.</summary>
internal sealed record EmbeddingBody
{
    public string? Model { get; init; }

    public JsonElement? Input { get; init; }

    public string? EncodingFormat { get; init; }

    public int? Dimensions { get; init; }

    /// <summary>Accepted without effect.</summary>
    public JsonElement? User { get; init; }
}

/// <summary>Vectors, as numbers or as text in base64.</summary>
internal sealed record EmbeddingList<T>(string Model, IReadOnlyList<EmbeddingObject<T>> Data, EmbeddingUsage Usage)
{
    public string Object { get; } = "list";
}

/// <summary>The vector of one input.</summary>
internal sealed record EmbeddingObject<T>(int Index, T Embedding)
{
    public string Object { get; } = "embedding";
}

/// <summary>What the vectors took.</summary>
internal sealed record EmbeddingUsage(int PromptTokens)
{
    public int TotalTokens => PromptTokens;
}

/// <summary>
/// <c>POST /embeddings</c>: vectors of images, from the model's vision tower. Text has none: a LLaVA checkpoint holds no text tower.
/// </summary>
internal static class EmbeddingEndpoint
{
    public static void MapEmbeddings(this RouteGroupBuilder api, ChatInputOptions limits) =>
        api.MapPost("/embeddings", EmbedAsync).RequireRole(AccessRole.Operator).WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithSummary("Makes vectors of images").Takes<EmbeddingBody>().Produces<EmbeddingList<float[]>>();

    private static async Task<IResult> EmbedAsync(
        HttpContext context, OpenAiBody bodies, ChatImages images, ChatInputOptions limits, ModelRouter models, TrainedModelOwners owners, CancellationToken cancellation)
    {
        var body = await bodies.ReadAsync(context.Request, EmbeddingJson.Default.EmbeddingBody, cancellation);
        await ChatRequests.RequireModelAsync(body.Model, owners, Caller.Of(context.User), cancellation);
        var encoding = EmbeddingInputs.EncodingOf(body.EncodingFormat);
        var read = await images.ReadAsync(EmbeddingInputs.Read(body.Input, limits.MaxImages, IsImage), Caller.Of(context.User), cancellation);
        var answer = await InteractiveAnswers.AskAsync(() => models.EmbedAsync(new(OpenAiErrors.RequestIdOf(context), body.Model!, read), cancellation));
        RequireDimensions(body.Dimensions, answer.Vectors[0].Length);
        EmbeddingUsage usage = new(answer.ImageTokens * answer.Vectors.Count);
        return encoding == VectorEncoding.Base64
            ? Results.Json(new EmbeddingList<string>(body.Model!, [.. answer.Vectors.Select((vector, index) => new EmbeddingObject<string>(index, VectorText.Base64(vector)))], usage), ChatJson.Default.EmbeddingListString)
            : Results.Json(new EmbeddingList<float[]>(body.Model!, [.. answer.Vectors.Select((vector, index) => new EmbeddingObject<float[]>(index, vector))], usage), ChatJson.Default.EmbeddingListSingleArray);
    }

    private static bool IsImage(string input) => DataUrl.IsDataUrl(input) || ImageLocation.IsUrl(input)
        || input.StartsWith(ChatImages.FileId, StringComparison.Ordinal) || input.StartsWith(ChatImages.FileUrl, StringComparison.OrdinalIgnoreCase);

    private static void RequireDimensions(int? asked, int length)
    {
        if (asked is { } dimensions && dimensions != length)
        {
            throw OpenAiException.Invalid("unsupported_parameter", FormattableString.Invariant($"'dimensions' is {dimensions} and the model's vectors have {length}; leave it out."), "dimensions");
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EmbeddingBody))]
internal sealed partial class EmbeddingJson : JsonSerializerContext;
