using Llava.Ledger.Batches;
using Llava.Ledger.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Ledger.Files;

/// <summary>Puts files into a container.</summary>
public static class FileServices
{
    /// <summary>Adds <see cref="FileStore"/>, <see cref="UploadStore"/> and <see cref="BatchPublication"/>; adding them again changes nothing. Needs the ledger.</summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Where the options come from, such as <c>options => options.BindConfiguration(FileStoreOptions.SectionName)</c>.</param>
    public static IServiceCollection AddLlavaFiles(this IServiceCollection services, Action<OptionsBuilder<FileStoreOptions>>? configure = null)
    {
        var options = services.AddOptions<FileStoreOptions>().ValidateOnStart();
        configure?.Invoke(options);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FileStoreOptions>, FileStoreOptionsRanges>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FileStoreOptions>, FileStoreOptionsRules>());
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<FileStoreOptions>>().Value);
        services.TryAddSingleton(provider => new FileBytes(provider.GetRequiredService<LedgerOptions>(), provider.GetRequiredService<FileStoreOptions>()));
        services.TryAddSingleton(provider => new FileStore(
            provider.GetRequiredService<LedgerDatabase>(), provider.GetRequiredService<FileBytes>(), provider.GetRequiredService<LedgerClock>(), provider.GetRequiredService<ILogger<FileStore>>()));
        services.TryAddSingleton(provider => new UploadStore(
            provider.GetRequiredService<LedgerDatabase>(), provider.GetRequiredService<FileStore>(), provider.GetRequiredService<FileBytes>(), provider.GetRequiredService<FileStoreOptions>(), provider.GetRequiredService<LedgerClock>()));
        services.TryAddSingleton(provider => new BatchPublication(
            provider.GetRequiredService<LedgerDatabase>(), provider.GetRequiredService<BatchStore>(), provider.GetRequiredService<FileStore>(), provider.GetRequiredService<LedgerClock>(), provider.GetRequiredService<ILogger<BatchPublication>>()));
        return services;
    }
}
