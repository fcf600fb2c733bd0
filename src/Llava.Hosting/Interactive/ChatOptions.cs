using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Interactive;

/// <summary>How dashboards and consumers talk while somebody waits for an answer.</summary>
public sealed class ChatOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Chat";

    private const int ShortestSecret = 16;

    /// <summary>What a dashboard shows to a consumer, at least 16 characters, the same in both. Default none: a consumer opens no endpoint.</summary>
    public string? Secret { get; set; }

    /// <summary>File that holds the secret instead. Default none.</summary>
    public string? SecretFile { get; set; }

    /// <summary>Address that a consumer listens on for dashboards. Default <c>127.0.0.1</c>: this machine only.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port that a consumer listens on for dashboards. Default 0: a free one, which it announces.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; }

    /// <summary>URL under which dashboards reach this consumer. Default: its address, or its machine's name where it listens on all addresses, with its port.</summary>
    public string? Url { get; set; }

    /// <summary>Interactive requests that one model of one consumer may have in hand; more are turned away. Default 64.</summary>
    [Range(1, 100_000)]
    public int MaxInFlight { get; set; } = 64;

    /// <summary>How long a request waits for its model to be loaded. Default 20 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LoadPatience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a dashboard waits for a consumer to take a connection. Default 3 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1000000", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a consumer may say nothing, not even that it is there, before a dashboard gives it up. Default 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1000000", "00:10:00")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The secret, from wherever it stands; null when there is none.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public string? ReadSecret() => SecretFile is { Length: > 0 } file ? File.ReadAllText(file).Trim() : Secret is { Length: > 0 } ? Secret : null;

    /// <summary>Everything that is wrong with the secret and the addresses.</summary>
    internal IEnumerable<string> Findings()
    {
        if (Secret is { Length: > 0 } && SecretFile is { Length: > 0 })
        {
            yield return $"{SectionName}:Secret and {SectionName}:SecretFile are both set; give one of them.";
        }
        else if (SecretFile is { Length: > 0 } file && !File.Exists(file))
        {
            yield return $"{SectionName}:SecretFile is '{file}', which does not exist.";
        }
        else if (ReadSecret() is { } secret && (secret.Length < ShortestSecret || secret.Any(letter => letter is <= ' ' or > '~')))
        {
            yield return $"{SectionName}:Secret has {secret.Length} characters; give at least {ShortestSecret} ASCII characters without blanks, such as those that 'openssl rand -hex 32' prints.";
        }

        if (!IPAddress.TryParse(Address, out _))
        {
            yield return $"{SectionName}:Address is '{Address}'; give an address such as 127.0.0.1 or 0.0.0.0.";
        }

        if (Url is { Length: > 0 } && !(Uri.TryCreate(Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            yield return $"{SectionName}:Url is '{Url}'; give an address such as http://consumer-1:5090.";
        }
    }
}

[OptionsValidator]
internal sealed partial class ChatOptionsRanges : IValidateOptions<ChatOptions>;

internal sealed class ChatOptionsRules : IValidateOptions<ChatOptions>
{
    public ValidateOptionsResult Validate(string? name, ChatOptions options) =>
        options.Findings().ToList() is { Count: > 0 } findings ? ValidateOptionsResult.Fail(findings) : ValidateOptionsResult.Success;
}
