using System.Text.Json.Serialization;

namespace Llava.Dashboard.Playground;

/// <summary>Something that happened in the playground.</summary>
/// <param name="Type"><c>chat</c>, <c>upvote</c>, <c>downvote</c> or <c>flag</c>.</param>
/// <param name="Model">The model.</param>
/// <param name="Messages">The conversation so far; images are no part of it.</param>
internal sealed record ConversationEntry(string Type, string Model, IReadOnlyList<ConversationTurn> Messages)
{
    /// <summary>Whether it is one of the things that are written down.</summary>
    [JsonIgnore]
    public bool IsKnown => Type is "chat" or "upvote" or "downvote" or "flag" && Model is not null && Messages is { Count: > 0 };
}

/// <summary>What one side said.</summary>
/// <param name="Role"><c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">The words, with <c>&lt;image&gt;</c> where an image was.</param>
internal sealed record ConversationTurn(string Role, string Content);
