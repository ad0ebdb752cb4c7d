//! The account over a real socket, with HTTP as bare as it gets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::builder::AccountBuilder;
use crate::faults::Rule;

async fn start() -> (Simulator, std::net::SocketAddr) {
    let account = AccountBuilder::new(1).cluster("web").instance("i-a1", "a", |i| i).build();
    let simulator = Simulator::new(account, 1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(simulator.clone(), listener, 1000.0));
    (simulator, address)
}

async fn exchange(address: std::net::SocketAddr, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

const LIST_CLUSTERS: &str =
    "POST / HTTP/1.1\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.ListClusters";

#[tokio::test]
async fn calls_and_control_addresses_are_answered() {
    let (simulator, address) = start().await;
    let listed = exchange(address, LIST_CLUSTERS, "{}").await.unwrap();
    assert!(listed.starts_with("HTTP/1.1 200") && listed.contains("cluster/web"), "{listed}");
    assert!(listed.contains("x-amzn-requestid: "), "{listed}");
    let before = simulator.now();
    let advanced = exchange(address, "POST /_sim/advance?seconds=3600 HTTP/1.1", "").await.unwrap();
    assert!(advanced.starts_with("HTTP/1.1 200"), "{advanced}");
    assert!(simulator.now().since(before) >= Duration::from_hours(1));
    for (path, text) in
        [("state", "\"web\""), ("calls", "ListClusters"), ("bars", "web"), ("timeline", "200 OK")]
    {
        let answer = exchange(address, &format!("GET /_sim/{path} HTTP/1.1"), "").await.unwrap();
        assert!(answer.contains(text), "{answer}");
    }
}

#[tokio::test]
async fn a_lost_response_is_a_broken_connection() {
    let (simulator, address) = start().await;
    simulator.rule(Rule::lose_response(1.0));
    let broken = exchange(address, LIST_CLUSTERS, "{}").await;
    assert!(broken.as_ref().map_or(true, |text| !text.contains("clusterArns")), "{broken:?}");
    assert_eq!(simulator.calls_by_operation()["ListClusters"], 1);
}

#[tokio::test]
async fn spot_takes_a_machine_when_asked_to() {
    let (simulator, address) = start().await;
    let ask = async |parameters: &str| {
        exchange(address, &format!("POST /_sim/interrupt?{parameters} HTTP/1.1"), "").await.unwrap()
    };
    let warned = ask("instance=i-a1&action=stop&seconds=3600").await;
    assert!(
        warned.starts_with("HTTP/1.1 200") && warned.contains("\"instance-action\":\"stop\""),
        "{warned}"
    );
    let action =
        simulator.account(|account| account.machines["i-a1"].interruption.map(|it| it.action.name()));
    assert_eq!(action, Some("stop"));
    let events = exchange(address, "GET /_sim/events HTTP/1.1", "").await.unwrap();
    assert!(events.contains("EC2 Spot Instance Interruption Warning"), "{events}");
    for wrong in ["instance=i-no", "action=stop", "instance=i-a1&action=burn", "instance=i-a1&seconds=x"] {
        assert!(ask(wrong).await.starts_with("HTTP/1.1 400"), "{wrong}");
    }
}
