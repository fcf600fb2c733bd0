using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Egress;

/// <summary>Puts the guarded egress into a container.</summary>
public static class EgressServices
{
    /// <summary>Adds <see cref="GuardedEgress"/> with its options.</summary>
    public static IServiceCollection AddLlavaEgress(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<EgressOptions>, EgressOptionsRanges>();
        services.AddSingleton<IValidateOptions<EgressOptions>, EgressOptionsRules>();
        services.AddOptions<EgressOptions>().BindConfiguration(EgressOptions.SectionName).ValidateOnStart();
        services.TryAddSingleton(provider => new GuardedEgress(provider.GetRequiredService<IOptions<EgressOptions>>().Value, TimeProvider.System));
        return services;
    }
}
