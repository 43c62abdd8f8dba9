@payment_methods
Feature: Payment methods
  Before there is a payment, the Partner shows its customer a choice. The acquirer lists what the Partner has
  configured; how Klarna shows itself in that list, Klarna says itself, in its payment presentation.

  @AP-01
  Scenario: Klarna is listed as it presents itself
    Given a Partner with an order of 459.00 SEK
    When the Partner asks the acquirer for the payment methods
    Then the acquirer asks Klarna for its presentation of the order
    And Klarna is among the payment methods
    And what the list says of Klarna is what Klarna presented

  @AP-01
  Scenario Outline: The Partner learns that Klarna wants to be <shown how>
    Given a Partner with an order of 459.00 SEK
    And Klarna wants to be <shown how>
    When the Partner asks the acquirer for the payment methods
    Then Klarna is among the payment methods
    And the Partner is told that Klarna wants to be <shown how>

    Examples:
      | shown how          |
      | preselected        |
      | the only one shown |

  @AP-01
  Scenario: Klarna hides itself
    Given a Partner with an order of 459.00 SEK
    And Klarna wants to be hidden
    When the Partner asks the acquirer for the payment methods
    Then the acquirer asks Klarna for its presentation of the order
    And Klarna is not among the payment methods
    And the other payment methods are there all the same

  @AP-01
  Scenario Outline: Klarna's presentation <fails how>, and the shop goes on selling
    Given a Partner with an order of 459.00 SEK
    And Klarna's presentation <fails how>
    When the Partner asks the acquirer for the payment methods
    Then Klarna is not among the payment methods
    And the other payment methods are there all the same

    Examples:
      | fails how         |
      | fails             |
      | is not answered   |
      | is a page of HTML |

  @AP-10 @AP-11 @session_token
  Scenario: The Partner's session token goes to Klarna's presentation
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token
    When the Partner asks the acquirer for the payment methods
    Then the Partner's session token reached Klarna's presentation

  @AP-10 @AP-11 @session_token
  Scenario: A session token of 8192 characters goes to Klarna's presentation whole
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token of 8192 characters
    When the Partner asks the acquirer for the payment methods
    Then the Partner's session token reached Klarna's presentation

  @AP-01
  Scenario: The payment option that the customer chose reaches Klarna
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner asks the acquirer for the payment methods
    And the Partner creates the payment with the payment option that was offered
    Then the payment option reached Klarna with the authorize
    And the acquirer responds that the payment is approved
