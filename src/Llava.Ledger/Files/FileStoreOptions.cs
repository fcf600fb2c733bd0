using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Ledger.Files;

/// <summary>Where the bytes of files are and how many are taken.</summary>
public sealed class FileStoreOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Files";

    /// <summary>
    /// Folder of the bytes, made when missing. Every process that serves, reads or deletes files needs the same one. Default:
    /// <c>files</c> beside a ledger that is a SQLite file, and in the data folder of a process whose ledger is PostgreSQL.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>Longest file that is sent in one request, in bytes. Default 5 GiB.</summary>
    [Range(1L << 10, 1L << 40)]
    public long MaxFileBytes { get; set; } = 5L << 30;

    /// <summary>Longest file that is sent in parts, in bytes. Default 8 GiB.</summary>
    [Range(1L << 10, 1L << 40)]
    public long MaxUploadBytes { get; set; } = 8L << 30;

    /// <summary>Longest part of such a file, in bytes. Default 64 MiB.</summary>
    [Range(1L << 10, 1L << 30)]
    public long MaxPartBytes { get; set; } = 64L << 20;

    /// <summary>How long files of the purpose <c>batch</c> are kept when their sender does not say. Default 30 days; all others are kept until they are deleted.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan BatchLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long a file that is sent in parts may take until it is complete. Default one hour.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    public TimeSpan UploadLifetime { get; set; } = TimeSpan.FromHours(1);
}

[OptionsValidator]
internal sealed partial class FileStoreOptionsRanges : IValidateOptions<FileStoreOptions>;

internal sealed class FileStoreOptionsRules : IValidateOptions<FileStoreOptions>
{
    public ValidateOptionsResult Validate(string? name, FileStoreOptions options) => options.Folder is null || Path.IsPathFullyQualified(options.Folder)
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail($"Llava:Files:Folder is '{options.Folder}'; give a whole path, which means the same to every process.");
}
