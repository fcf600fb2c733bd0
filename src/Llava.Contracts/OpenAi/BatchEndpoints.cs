namespace Llava.Contracts.OpenAi;

/// <summary>Endpoints that the lines of a batch may call.</summary>
public static class BatchEndpoints
{
    /// <summary>Conversations.</summary>
    public const string Chats = "/v1/chat/completions";

    /// <summary>Texts to be continued.</summary>
    public const string Completions = "/v1/completions";

    /// <summary>Vectors of images.</summary>
    public const string Embeddings = "/v1/embeddings";

    private const string Version = "/v1";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Chats, Completions, Embeddings];

    /// <summary>The endpoint as it is spelled here: Azure's users leave the version out.</summary>
    public static string Normal(string url) => url.StartsWith(Version + "/", StringComparison.Ordinal) ? url : Version + url;
}
