using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Contracts.Interactive;

/// <summary>How interactive requests travel from a dashboard to a consumer: HTTP, a shared secret as bearer token, one JSON text per line.</summary>
public static class InteractiveWire
{
    /// <summary>Where chats are posted; the answer is a line for each <see cref="ChatEvent"/>.</summary>
    public const string ChatPath = "/interactive/chat";

    /// <summary>Where embeddings are posted; the answer is an <see cref="EmbeddingReply"/>.</summary>
    public const string EmbeddingPath = "/interactive/embeddings";

    /// <summary>Media type of the lines.</summary>
    public const string LinesType = "application/x-ndjson";

    /// <summary>How often somebody says that he is there while there is nothing to say.</summary>
    public static TimeSpan PingInterval { get; } = TimeSpan.FromSeconds(3);

    /// <summary>How the JSON is written.</summary>
    public static JsonSerializerOptions Json => RequestJson.Options;
}
