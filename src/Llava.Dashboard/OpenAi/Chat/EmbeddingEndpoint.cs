using System.Globalization;
using System.Runtime.InteropServices;
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
        var isText = body.EncodingFormat switch
        {
            null or "float" => false,
            "base64" => true,
            var other => throw OpenAiException.Invalid("invalid_value", $"'encoding_format' is '{other}'; give float or base64.", "encoding_format"),
        };
        var read = await images.ReadAsync(InputsOf(body.Input, limits), Caller.Of(context.User), cancellation);
        var answer = await InteractiveAnswers.AskAsync(() => models.EmbedAsync(new(OpenAiErrors.RequestIdOf(context), body.Model!, read), cancellation));
        RequireDimensions(body.Dimensions, answer.Vectors[0].Length);
        EmbeddingUsage usage = new(answer.ImageTokens * answer.Vectors.Count);
        return isText
            ? Results.Json(new EmbeddingList<string>(body.Model!, [.. answer.Vectors.Select((vector, index) => new EmbeddingObject<string>(index, Base64(vector)))], usage), ChatJson.Default.EmbeddingListString)
            : Results.Json(new EmbeddingList<float[]>(body.Model!, [.. answer.Vectors.Select((vector, index) => new EmbeddingObject<float[]>(index, vector))], usage), ChatJson.Default.EmbeddingListSingleArray);
    }

    private static List<ImageUrl> InputsOf(JsonElement? input, ChatInputOptions limits)
    {
        List<ImageUrl> inputs = input switch
        {
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Index().Select(one => InputOf(one.Item, $"input[{one.Index.ToString(CultureInfo.InvariantCulture)}]"))],
            { ValueKind: JsonValueKind.String or JsonValueKind.Object } one => [InputOf(one, "input")],
            _ => [],
        };
        return inputs.Count == 0 ? throw OpenAiException.Invalid("missing_required_parameter", "'input' must be an image's URL, or a list of them.", "input")
            : inputs.Count <= limits.MaxImages ? inputs
            : throw OpenAiException.Invalid("invalid_value", FormattableString.Invariant($"'input' has {inputs.Count} images and the limit is {limits.MaxImages}."), "input");
    }

    /// <summary>A URL, or a part as in messages.</summary>
    private static ImageUrl InputOf(JsonElement input, string field) => input switch
    {
        { ValueKind: JsonValueKind.String } url when IsImage(url.GetString()!) => new(url, field),
        { ValueKind: JsonValueKind.Object } => MessageContent.ReadImage(input, field),
        _ => throw OpenAiException.Invalid("unsupported_input",
            $"'{field}' is a text, and the models here embed images only: a LLaVA checkpoint has no text tower. Give an image as data:image/…;base64,…, http(s)://…, file-id:… or file://….", field),
    };

    private static bool IsImage(string input) => DataUrl.IsDataUrl(input) || ImageLocation.IsUrl(input)
        || input.StartsWith(ChatImages.FileId, StringComparison.Ordinal) || input.StartsWith(ChatImages.FileUrl, StringComparison.OrdinalIgnoreCase);

    private static void RequireDimensions(int? asked, int length)
    {
        if (asked is { } dimensions && dimensions != length)
        {
            throw OpenAiException.Invalid("unsupported_parameter", FormattableString.Invariant($"'dimensions' is {dimensions} and the model's vectors have {length}; leave it out."), "dimensions");
        }
    }

    // 32-bit numbers, the lowest byte first, as OpenAI's libraries read them.
    private static string Base64(float[] vector) => BitConverter.IsLittleEndian
        ? Convert.ToBase64String(MemoryMarshal.AsBytes(vector.AsSpan()))
        : throw new PlatformNotSupportedException("Vectors are sent in base64 by machines only that store the lowest byte first.");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EmbeddingBody))]
internal sealed partial class EmbeddingJson : JsonSerializerContext;
