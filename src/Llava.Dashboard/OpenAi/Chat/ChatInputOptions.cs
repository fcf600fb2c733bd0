using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>What one chat may bring.</summary>
public sealed class ChatInputOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Chat:Input";

    /// <summary>Longest body of a request, in bytes; images inside it are a third longer than their files. Default 64 MiB.</summary>
    [Range(1024, 1 << 30)]
    public int MaxBodyBytes { get; set; } = 64 << 20;

    /// <summary>Messages of a chat. Default 1000.</summary>
    [Range(1, 100_000)]
    public int MaxMessages { get; set; } = 1000;

    /// <summary>Characters of all messages together. Default one million; the model's context is the narrower limit.</summary>
    [Range(1, 100_000_000)]
    public int MaxCharacters { get; set; } = 1_000_000;

    /// <summary>Images of a chat. Default 16.</summary>
    [Range(0, 1000)]
    public int MaxImages { get; set; } = 16;

    /// <summary>Bytes of one image's file. Default 20 MiB.</summary>
    [Range(1024, 100 << 20)]
    public int MaxImageBytes { get; set; } = 20 << 20;

    /// <summary>Bytes of all images of a chat. Default 64 MiB.</summary>
    [Range(1024, 150 << 20)]
    public int MaxAllImageBytes { get; set; } = 64 << 20;

    /// <summary>Longest answer where the request does not say, in tokens. Default 512.</summary>
    [Range(1, 32_768)]
    public int DefaultMaxTokens { get; set; } = 512;

    /// <summary>Folders of the dashboard's machine from which chats may name images by <c>file://</c>, links followed. Default none.</summary>
    public IList<string> ImageRoots { get; set; } = [];

    /// <summary>What the messages may hold.</summary>
    internal ChatLimits Limits => new() { MaxMessages = MaxMessages, MaxCharacters = MaxCharacters, MaxImages = MaxImages };
}

[OptionsValidator]
internal sealed partial class ChatInputOptionsRanges : IValidateOptions<ChatInputOptions>;
