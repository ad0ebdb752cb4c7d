//! Where EC2 is: the URL that the configuration names, else what the SDK's rules say.
//!
//! The rules are those that come with the Auto Scaling client: the published rule sets of the two services give the same
//! URLs but for the service's name, in every Region, with and without FIPS and dual stack.

use aws_sdk_autoscaling::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime::client::orchestrator::endpoints::StaticUriEndpointResolver;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint, SharedEndpointResolver,
};
use aws_smithy_types::endpoint::Endpoint;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The resolver for this configuration.
pub(super) fn resolver(config: &SdkConfig) -> SharedEndpointResolver {
    match given_url(config) {
        Some(url) => SharedEndpointResolver::new(StaticUriEndpointResolver::uri(url)),
        None => SharedEndpointResolver::new(Rules::of(config)),
    }
}

/// In the order of the SDK's clients: set in code, then for this service (`AWS_ENDPOINT_URL_EC2`), then for all.
fn given_url(config: &SdkConfig) -> Option<String> {
    let of_all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return of_all();
    }
    let key = ServiceConfigKey::builder().service_id("EC2").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let key = key.build().expect("all its members are given");
    config.service_config().and_then(|it| it.load_config(key)).or_else(of_all)
}

#[derive(Debug)]
struct Rules {
    resolver: DefaultResolver,
    params: Params,
}

impl Rules {
    fn of(config: &SdkConfig) -> Self {
        let params = Params::builder().set_region(config.region().map(ToString::to_string));
        let params = params.set_use_fips(config.use_fips()).set_use_dual_stack(config.use_dual_stack());
        Self {
            resolver: DefaultResolver::new(),
            params: params.build().expect("no parameter of these is required"),
        }
    }

    async fn resolve(&self) -> Result<Endpoint, BoxError> {
        let found = self.resolver.resolve_endpoint(&self.params).await?;
        let url = found.url().replacen("://autoscaling", "://ec2", 1);
        Ok(Endpoint::builder().url(url).build())
    }
}

impl ResolveEndpoint for Rules {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(self.resolve())
    }
}

#[cfg(test)]
mod tests {
    use aws_types::region::Region;

    use super::*;

    async fn url_of(config: &SdkConfig) -> Result<String, String> {
        let params = EndpointResolverParams::new(());
        let found = resolver(config).resolve_endpoint(&params).await;
        found.map(|it| it.url().to_owned()).map_err(|error| error.to_string())
    }

    fn at(region: &'static str) -> SdkConfig {
        SdkConfig::builder().region(Region::new(region)).build()
    }

    #[tokio::test]
    async fn the_host_is_ec2_of_the_region_and_its_partition() {
        assert_eq!(url_of(&at("eu-west-1")).await.unwrap(), "https://ec2.eu-west-1.amazonaws.com");
        assert_eq!(url_of(&at("cn-north-1")).await.unwrap(), "https://ec2.cn-north-1.amazonaws.com.cn");
        let fips = at("us-east-1").into_builder().use_fips(true).build();
        assert_eq!(url_of(&fips).await.unwrap(), "https://ec2-fips.us-east-1.amazonaws.com");
        let both = at("eu-west-1").into_builder().use_dual_stack(true).build();
        assert_eq!(url_of(&both).await.unwrap(), "https://ec2.eu-west-1.api.aws");
    }

    #[tokio::test]
    async fn a_given_url_is_taken_as_it_is() {
        let given = at("eu-west-1").into_builder().endpoint_url("http://autoscaling.local:9000").build();
        assert_eq!(url_of(&given).await.unwrap(), "http://autoscaling.local:9000");
    }

    #[tokio::test]
    async fn without_a_region_the_call_fails_and_says_why() {
        let error = url_of(&SdkConfig::builder().build()).await.unwrap_err();
        assert!(error.contains("Region"), "{error}");
    }
}
